"""`--detect-device cpu`: a detector on the host, beside the network on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpen_fast.stages.detect.base import Detector, batch_size, find_all
from gpen_fast.types import Face, Frame


class DetectorOnHost:
    """A detector whose network lies on the CPU, for pictures on a GPU: the readers detect, and the GPU only restores.

    Args:
        detector: Opened for the CPU.
    """

    on_host = True

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @property
    def name(self) -> str:
        """See `Detector`."""
        return self._detector.name

    @property
    def weights(self) -> Path | None:
        """See `Detector`."""
        return self._detector.weights

    @property
    def box_points(self) -> NDArray[np.float64]:
        """See `Detector`."""
        return self._detector.box_points

    @property
    def threshold(self) -> float:
        """See `Detector`."""
        return self._detector.threshold

    @property
    def bound(self) -> int | None:
        """See `Detector`."""
        return self._detector.bound

    @property
    def batch_size(self) -> int:
        """See `BatchDetector`."""
        return batch_size(self._detector)

    def __call__(self, frame: Frame) -> list[Face]:
        """Detects the faces of a picture, best first."""
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Detects the faces of each picture, best first."""
        return find_all(
            self._detector, [replace(frame, pixels=frame.on_host, alpha=None, host=None) for frame in frames]
        )
