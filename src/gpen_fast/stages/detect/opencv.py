"""A detector of OpenCV's networks: on the host, in any thread, one picture at a time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gpen_fast.settings import Settings
from gpen_fast.stages.detect.retina.detector import BOX_POINTS
from gpen_fast.stages.detect.search import SearchPass, bound_of, search
from gpen_fast.types import Face, Frame


class HostDetector(ABC):
    """What they have in common: the search, and a network for each thread. threshold: the detector's own."""

    on_host = True
    box_points = BOX_POINTS

    def __init__(self, weights: Path, settings: Settings, threshold: float) -> None:
        self.weights = weights
        self.threshold = threshold if settings.detect_threshold is None else settings.detect_threshold
        self.bound = bound_of(settings)
        self._settings = settings
        self._threads = threading.local()  # a network of OpenCV cannot be shared between threads

    def __call__(self, frame: Frame) -> list[Face]:
        """The faces, best first."""
        return search([frame], self._search_pass, self._settings, self.threshold)[0]

    def _search_pass(
        self, frames: Sequence[Frame], search_pass: SearchPass, floor: float
    ) -> list[list[Face]]:
        return [self._faces(frame, search_pass, floor) for frame in frames]

    @abstractmethod
    def _faces(self, frame: Frame, search_pass: SearchPass, floor: float) -> list[Face]:
        """What one look finds, from the score `floor` up, in the picture's pixels."""

    @abstractmethod
    def _opened(self) -> Any:
        """A network of its own for the calling thread."""

    def _network(self) -> Any:
        if not hasattr(self._threads, "network"):
            self._threads.network = self._opened()
        return self._threads.network
