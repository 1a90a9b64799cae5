"""A detector that is opened when the first picture needs it: with landmarks from a file, perhaps none does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.errors import GpenError
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.base import Detector, batch_size, find_all, open_detector, pick, refuse_wrong
from gpen_fast.types import Face, Frame

NOT_NEEDED = "not needed"


class LazyDetector:
    """Stands for the detector of the settings.

    A name that does not exist and a wrong weights file are raised at once, what else keeps it from opening (such as
    weights that are not there) for each picture that asks.
    """

    def __init__(self, settings: Settings, device: torch.device) -> None:
        if settings.detector == "auto":
            pick(settings)
        else:
            refuse_wrong(settings.detector, settings)
        self._settings = settings
        self._device = device
        self._lock = threading.Lock()
        self._made: Detector | GpenError | None = None

    @property
    def name(self) -> str:
        """The detector's; or that no picture has needed one."""
        if self._made is None:
            return NOT_NEEDED
        return self._settings.detector if isinstance(self._made, GpenError) else self._made.name

    @property
    def weights(self) -> Path | None:
        """The detector's; None as long as no picture has needed one."""
        return None if self._made is None or isinstance(self._made, GpenError) else self._made.weights

    @property
    def on_host(self) -> bool:
        """As the detector."""
        return self._opened().on_host

    @property
    def box_points(self) -> NDArray[np.float64]:
        """As the detector."""
        return self._opened().box_points

    @property
    def threshold(self) -> float:
        """As the detector."""
        return self._opened().threshold

    @property
    def bound(self) -> int | None:
        """As the detector."""
        return self._opened().bound

    @property
    def batch_size(self) -> int:
        """As the detector."""
        return batch_size(self._opened())

    def __call__(self, frame: Frame) -> list[Face]:
        """As the detector."""
        return self._opened()(frame)

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """As the detector."""
        return find_all(self._opened(), frames)

    def _opened(self) -> Detector:
        with self._lock:
            if self._made is None:
                try:
                    self._made = open_detector(self._settings, self._device)
                except GpenError as error:
                    self._made = error
            if isinstance(self._made, GpenError):
                raise type(self._made)(*self._made.args)
            return self._made
