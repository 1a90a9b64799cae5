"""A detector that opens when the first picture needs it: with faces read from a file, perhaps no picture does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.errors import GpenError
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.any_angle import open_any_angle
from gpen_fast.stages.detect.base import (
    Detector,
    batch_size,
    find_all,
    pick_detector,
    refuse_wrong_weights,
)
from gpen_fast.types import Face, Frame

NOT_NEEDED = "not needed"


class LazyDetector:
    """Stands in for the detector that the options name.

    Args:
        options, weights, device, precision: As in `open_detector`.

    Raises:
        PluginError, HashError: At once, for a name that does not exist and for a wrong weights file. Any other error,
            such as absent weights, is raised for each picture that needs the detector.
    """

    def __init__(
        self, options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
    ) -> None:
        if options.detector == "auto":
            pick_detector(weights)
        else:
            refuse_wrong_weights(options.detector, weights)
        self._options, self._weights = options, weights
        self._device, self._precision = device, precision
        self._lock = threading.Lock()
        self._opened: Detector | GpenError | None = None

    @property
    def name(self) -> str:
        """The detector's name; NOT_NEEDED until a picture needs it."""
        if self._opened is None:
            return NOT_NEEDED
        return self._options.detector if isinstance(self._opened, GpenError) else self._opened.name

    @property
    def weights(self) -> Path | None:
        """The detector's weights file; None until a picture needs it."""
        return None if self._opened is None or isinstance(self._opened, GpenError) else self._opened.weights

    @property
    def on_host(self) -> bool:
        """As the detector's."""
        return self._detector().on_host

    @property
    def box_points(self) -> NDArray[np.float64]:
        """As the detector's."""
        return self._detector().box_points

    @property
    def threshold(self) -> float:
        """As the detector's."""
        return self._detector().threshold

    @property
    def bound(self) -> int | None:
        """As the detector's."""
        return self._detector().bound

    @property
    def batch_size(self) -> int:
        """As the detector's."""
        return batch_size(self._detector())

    def __call__(self, frame: Frame) -> list[Face]:
        """As the detector."""
        return self._detector()(frame)

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """As the detector."""
        return find_all(self._detector(), frames)

    def _detector(self) -> Detector:
        """Opens the detector once; an error that occurred then is raised again, as a new exception, at each call."""
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = open_any_angle(self._options, self._weights, self._device, self._precision)
                except GpenError as error:
                    self._opened = error
            if isinstance(self._opened, GpenError):
                # A fresh exception: one object raised in several threads would collect all their tracebacks.
                raise type(self._opened)(*self._opened.args)
            return self._opened
