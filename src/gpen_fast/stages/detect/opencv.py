"""What the detectors that run OpenCV's networks share: on the host, in any thread, one picture at a time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

from gpen_fast.settings import DetectOptions
from gpen_fast.stages.detect.retina.detector import BOX_POINTS
from gpen_fast.stages.detect.search import SearchPass, bound_of, search
from gpen_fast.types import Face, Frame

Net = TypeVar("Net")


class HostDetector(ABC, Generic[Net]):
    """The search over passes, and one network for each thread: OpenCV's cannot be shared between threads.

    Args:
        weights: The network's file.
        options: The size at which pictures are searched, and the user's threshold.
        threshold: The detector's own, where the user names none.
    """

    on_host = True
    # These networks are trained on WIDER FACE, as RetinaFace is, and their boxes have the same outline.
    box_points = BOX_POINTS

    def __init__(self, weights: Path, options: DetectOptions, threshold: float) -> None:
        self.weights = weights
        self.threshold = threshold if options.detect_threshold is None else options.detect_threshold
        self.bound = bound_of(options.detect_size)
        self._size = options.detect_size
        self._threads = threading.local()

    def __call__(self, frame: Frame) -> list[Face]:
        """Detects the faces of a picture, best first."""
        return search([frame], self._run_pass, self._size, self.threshold)[0]

    def _run_pass(self, frames: Sequence[Frame], search_pass: SearchPass, floor: float) -> list[list[Face]]:
        return [self._detect(frame, search_pass, floor) for frame in frames]

    @abstractmethod
    def _detect(self, frame: Frame, search_pass: SearchPass, floor: float) -> list[Face]:
        """The detections of one pass with scores from `floor` up, in the picture's pixels."""

    @abstractmethod
    def _open(self) -> Net:
        """Opens the network for the calling thread."""

    def _network(self) -> Net:
        """The calling thread's network, opened at its first call."""
        if not hasattr(self._threads, "network"):
            self._threads.network = self._open()
        network: Net = self._threads.network
        return network
