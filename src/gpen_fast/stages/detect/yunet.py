"""YuNet in OpenCV's FaceDetectorYN: 0.2 MB, the quickest on a CPU.

"YuNet: A Tiny Millisecond-level Face Detector" (Wu et al., 2023).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from gpen_fast.errors import CheckpointError
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.opencv import HostDetector
from gpen_fast.stages.detect.search import SearchPass, bordered, box_of, pixels, place, voted
from gpen_fast.store.locate import present, required
from gpen_fast.types import Face, Frame

# The newer of the two first; only the older can be downloaded.
WEIGHTS = ("yunet-2026may", "yunet")
# Every face of three group photographs, and nothing else, scores above this.
_THRESHOLD = 0.7
_OVERLAP = 0.3
# All readings of a face are wanted, since they vote; so OpenCV is to suppress none.
_ALL, _MOST = 1.0, 5000


class YuNet(HostDetector):
    """Boxes and landmarks."""

    name = "yunet"

    def __init__(self, weights: Path, settings: Settings) -> None:
        super().__init__(weights, settings, _THRESHOLD)

    def _faces(self, frame: Frame, search_pass: SearchPass, floor: float) -> list[Face]:
        where = place(frame, search_pass)
        array = cv2.cvtColor(bordered(pixels(frame, where), where), cv2.COLOR_RGB2BGR)
        network = self._network()
        network.setInputSize((array.shape[1], array.shape[0]))
        network.setScoreThreshold(floor)
        _, rows = network.detect(array)
        if rows is None:
            return []
        scores = rows[:, 14].clip(max=1.0).astype(np.float64)
        best = np.ravel(cv2.dnn.NMSBoxes(rows[:, :4].tolist(), scores.tolist(), floor, _OVERLAP)).astype(int)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        # Its "right" eye is the person's: the left one in the picture comes first, as everywhere here.
        corners, points = voted(boxes, scores, rows[:, 4:14].reshape(-1, 5, 2), best)
        corners = where.to_picture(corners.reshape(-1, 2, 2)).reshape(-1, 4)
        spots = where.to_picture(points)
        return [
            Face(box_of(corner), float(scores[i]), spot)
            for corner, i, spot in zip(corners, best, spots, strict=True)
        ]

    def _opened(self) -> Any:
        return open_network(self.weights)


def create(settings: Settings, device: torch.device) -> YuNet:
    """Always on the CPU. WeightsNotFoundError, or CheckpointError where OpenCV cannot read the file."""
    found = (present(name, settings.weights) for name in WEIGHTS)
    path = next((path for path in found if path), None) or required(WEIGHTS[-1], settings.weights)
    open_network(path)
    return YuNet(path, settings)


def open_network(path: Path) -> Any:
    """The network for the calling thread."""
    try:
        return cv2.FaceDetectorYN.create(str(path), "", (320, 320), _THRESHOLD, _ALL, _MOST)
    except cv2.error as cause:
        raise CheckpointError(f"{path}: OpenCV {cv2.__version__} cannot read it as YuNet.") from cause
