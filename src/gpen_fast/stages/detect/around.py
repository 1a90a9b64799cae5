"""A detector around another one, which adds to what that finds or changes what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpen_fast.stages.detect.base import Detector, batch_size, find_all
from gpen_fast.types import Face, Frame


class DetectorAround:
    """Is what the detector is, in every property: subclasses change what it finds.

    Args:
        detector: What detects the faces.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @property
    def name(self) -> str:
        """As the detector's."""
        return self._detector.name

    @property
    def on_host(self) -> bool:
        """As the detector's."""
        return self._detector.on_host

    @property
    def weights(self) -> Path | None:
        """As the detector's."""
        return self._detector.weights

    @property
    def box_points(self) -> NDArray[np.float64]:
        """As the detector's."""
        return self._detector.box_points

    @property
    def threshold(self) -> float:
        """As the detector's."""
        return self._detector.threshold

    @property
    def bound(self) -> int | None:
        """As the detector's."""
        return self._detector.bound

    @property
    def batch_size(self) -> int:
        """As the detector's."""
        return batch_size(self._detector)

    def __call__(self, frame: Frame) -> list[Face]:
        """Detects the faces of a picture, best first."""
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Detects the faces of each picture, best first."""
        return find_all(self._detector, frames)
