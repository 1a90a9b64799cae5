"""YuNet in OpenCV's FaceDetectorYN: 0.2 MB, the quickest on a CPU.

"YuNet: A Tiny Millisecond-level Face Detector" (Wu et al., 2023).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from gpen_fast.errors import CheckpointError
from gpen_fast.settings import Settings
from gpen_fast.stages.detect._looks import Look, bordered, bound_of, pixels, place, search
from gpen_fast.stages.detect._retinaface import BOX_POINTS
from gpen_fast.store.locate import present, required
from gpen_fast.types import Face, Frame

# The newer of the two first; only the older can be downloaded.
WEIGHTS = ("yunet-2026may", "yunet")
# Every face of three group photographs, and nothing else, scores above this.
_THRESHOLD = 0.7
_OVERLAP = 0.3
_MOST = 5000


class YuNet:
    """Boxes and landmarks on the host, in any thread."""

    name = "yunet"
    on_host = True
    box_points = BOX_POINTS

    def __init__(self, weights: Path, settings: Settings) -> None:
        self.threshold = _THRESHOLD if settings.detect_threshold is None else settings.detect_threshold
        self.bound = bound_of(settings)
        self._settings = settings
        self._weights = str(weights)
        self._threads = threading.local()  # a network of OpenCV cannot be shared between threads

    def __call__(self, frame: Frame) -> list[Face]:
        """The faces, best first."""
        return search([frame], self._look, self._settings, self.threshold)[0]

    def _look(self, frames: Sequence[Frame], look: Look, floor: float) -> list[list[Face]]:
        return [self._faces(frame, look, floor) for frame in frames]

    def _faces(self, frame: Frame, look: Look, floor: float) -> list[Face]:
        where = place(frame, look)
        array = cv2.cvtColor(bordered(pixels(frame, where), where), cv2.COLOR_RGB2BGR)
        network = self._network()
        network.setInputSize((array.shape[1], array.shape[0]))
        network.setScoreThreshold(floor)
        _, rows = network.detect(array)
        if rows is None:
            return []
        found = []
        for row in rows.astype(np.float64):
            corners = np.array([row[:2], row[:2] + row[2:4]])
            (x0, y0), (x1, y1) = where.to_picture(corners)
            # Its "right" eye is the person's: the left one in the picture comes first, as everywhere here.
            found.append(Face((x0, y0, x1, y1), min(1.0, row[14]), where.to_picture(row[4:14].reshape(5, 2))))
        return found

    def _network(self) -> Any:
        if not hasattr(self._threads, "network"):
            self._threads.network = open_network(Path(self._weights))
        return self._threads.network


def create(settings: Settings, device: torch.device) -> YuNet:
    """Always on the CPU. WeightsNotFoundError, or CheckpointError where OpenCV cannot read the file."""
    found = (present(name, settings) for name in WEIGHTS)
    path = next((path for path in found if path), None) or required(WEIGHTS[-1], settings)
    open_network(path)
    return YuNet(path, settings)


def open_network(path: Path) -> Any:
    """The network for the calling thread."""
    try:
        return cv2.FaceDetectorYN.create(str(path), "", (320, 320), _THRESHOLD, _OVERLAP, _MOST)
    except cv2.error as cause:
        raise CheckpointError(f"{path}: OpenCV {cv2.__version__} cannot read it as YuNet.") from cause
