"""YuNet in OpenCV's FaceDetectorYN: 0.2 MB, the fastest detector on a CPU.

"YuNet: A Tiny Millisecond-level Face Detector" (Wu et al., 2023).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from gpen_fast.errors import CheckpointError
from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.opencv import HostDetector
from gpen_fast.stages.detect.search import SearchPass, bordered, box_of, pixels, place, voted
from gpen_fast.store.locate import present, required
from gpen_fast.types import Face, Frame

FACTS = DetectorFacts(
    rank=3,
    weights=("yunet-2026may", "yunet"),  # the newer first; only the older can be downloaded
    gives_landmarks=True,
    any_angle=True,
    on_host=True,
    help="0.2 MB, the fastest on a CPU",
)

# Every face of three group photographs scores above this, and nothing else in them does.
_THRESHOLD = 0.7
# Boxes whose intersection is more than this share of their union are of the same face.
_OVERLAP = 0.3
# OpenCV must suppress none of a face's detections, since they vote: no overlap is too large, and 5000 are more than a
# pass ever gives.
_KEEP_ALL, _MOST = 1.0, 5000
# Pixels. Where a side has 32 or fewer, OpenCV 4.14 returns detections that are noise, even in a plain picture.
_LEAST_SIDE = 64


class YuNet(HostDetector[cv2.FaceDetectorYN]):
    """Boxes and landmarks from OpenCV's YuNet."""

    name = "yunet"

    def __init__(self, weights: Path, options: DetectOptions) -> None:
        super().__init__(weights, options, _THRESHOLD)

    def _detect(self, frame: Frame, search_pass: SearchPass, floor: float) -> list[Face]:
        where = place(frame, search_pass)
        array = _large_enough(cv2.cvtColor(bordered(pixels(frame, where), where), cv2.COLOR_RGB2BGR))
        network = self._network()
        network.setInputSize((array.shape[1], array.shape[0]))
        network.setScoreThreshold(floor)
        # found: (N,15) x, y, width, height, five points, score; None where there is no detection.
        _, found = network.detect(array)
        if found is None:
            return []
        rows = np.asarray(found, dtype=np.float32)
        scores = rows[:, 14].clip(max=1.0).astype(np.float64)
        best = np.ravel(cv2.dnn.NMSBoxes(rows[:, :4].tolist(), scores.tolist(), floor, _OVERLAP)).astype(int)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        # YuNet's first eye is the person's right one: the left one in the picture, which comes first here too.
        corners, points = voted(boxes, scores, rows[:, 4:14].reshape(-1, 5, 2), best)
        corners = where.to_picture(corners.reshape(-1, 2, 2)).reshape(-1, 4)
        landmarks = where.to_picture(points)
        return [
            Face(box_of(corner), float(scores[i]), each)
            for corner, i, each in zip(corners, best, landmarks, strict=True)
        ]

    def _open(self) -> cv2.FaceDetectorYN:
        return open_yunet(self.weights)


def _large_enough(array: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """A (H,W,3) picture that OpenCV reads rightly: grey is added on the right and below."""
    down, right = (max(0, _LEAST_SIDE - side) for side in array.shape[:2])
    if not down and not right:
        return array
    return cv2.copyMakeBorder(array, 0, down, 0, right, cv2.BORDER_CONSTANT, value=(128, 128, 128))


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> YuNet:
    """Always on the CPU. Raises WeightsNotFoundError, or CheckpointError where OpenCV cannot read the file."""
    found = (present(name, weights) for name in FACTS.weights)
    path = next((path for path in found if path), None) or required(FACTS.weights[-1], weights)
    open_yunet(path)  # an unreadable file is an error here, not in the thread of the first picture
    return YuNet(path, options)


def open_yunet(path: Path) -> cv2.FaceDetectorYN:
    """Opens the network for the calling thread. Raises CheckpointError."""
    try:
        return cv2.FaceDetectorYN.create(str(path), "", (320, 320), _THRESHOLD, _KEEP_ALL, _MOST)
    except cv2.error as cause:
        raise CheckpointError(f"{path}: OpenCV {cv2.__version__} cannot read it as YuNet.") from cause
