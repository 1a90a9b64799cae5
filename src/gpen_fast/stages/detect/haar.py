"""The Haar cascades inside opencv-python 4.x: no download, boxes only, upright frontal faces.

"Rapid object detection using a boosted cascade of simple features" (Viola and Jones, 2001).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, Cascades, open_cascade
from gpen_fast.stages.detect.cascade.luma import GreyPixels, luma_of, shrunk
from gpen_fast.stages.detect.cascade.tiles import Tile, tiles_of
from gpen_fast.stages.detect.search import bound_of
from gpen_fast.types import Face, Frame

FACTS = DetectorFacts(
    rank=5,
    gives_landmarks=False,
    any_angle=True,
    on_host=True,
    help="OpenCV's cascade: boxes of upright frontal faces, no download",
)

_EYES = "haarcascade_eye.xml"
# Pixels. A longer side is shrunk to this first: the cascade's time grows with the area.
_LONG_SIDE = 1600
# The score of a detection that four windows agree on, the fewest that OpenCV reports here.
_THRESHOLD = 0.5
# Pixels: the side of the smallest face that the cascade detects.
_SMALLEST = 24
# The ratio of successive window sizes.
_SCALE_STEP = 1.1
_NEIGHBOURS = 4
# Eyes are detected in these rows of the box, as shares of its side, and in boxes of at least this side, pixels.
_EYE_ROWS = (0.15, 0.6)
_EYES_FROM = 60
# A pair of detections is a pair of eyes if their distance is this share of the box's side, and their line no steeper.
_EYE_DISTANCE = (0.25, 0.55)
_STEEPEST = math.tan(math.radians(30))
# Median landmarks in this cascade's boxes over some 250 frontal portraits, made symmetric.
_BOX_POINTS = np.array([[0.308, 0.394], [0.692, 0.394], [0.5, 0.627], [0.314, 0.7655], [0.686, 0.7655]])


class HaarDetector:
    """Boxes from the cascade; the roll from the eyes where both are detected."""

    name = "haar"
    on_host = FACTS.on_host
    weights = None
    box_points = _BOX_POINTS

    def __init__(self, options: DetectOptions) -> None:
        self.threshold = _THRESHOLD if options.detect_threshold is None else options.detect_threshold
        self.bound = bound_of(options.detect_size, _LONG_SIDE)
        self._cascades = Cascades(self.name)

    def __call__(self, frame: Frame) -> list[Face]:
        """Detects the faces, best first; the score of n agreeing windows is n / (n + 4)."""
        grey, scale = shrunk(luma_of(frame), self.bound)
        faces = [self._face(grey, box, n, scale) for part in tiles_of(grey) for box, n in self._boxes(part)]
        reaching = [face for face in faces if face.score >= self.threshold]
        return sorted(reaching, key=lambda face: -face.score)

    def _boxes(self, part: Tile) -> list[tuple[NDArray[np.int32], int]]:
        """The boxes in a part's core, each with the number of windows that agree on it."""
        found, support = self._cascades.of(FRONTAL).detectMultiScale2(
            part.grey, scaleFactor=_SCALE_STEP, minNeighbors=_NEIGHBOURS, minSize=(_SMALLEST, _SMALLEST)
        )
        boxes, own = part.placed(np.array(found, dtype=np.int32).reshape(-1, 4))
        counts = zip(boxes, np.ravel(support).tolist(), own, strict=True)
        return [(box, int(count)) for box, count, inside in counts if inside]

    def _face(self, grey: GreyPixels, box: NDArray[np.int32], support: int, scale: float) -> Face:
        x, y, w, h = (int(v) for v in box)
        roll = self._roll(grey[y : y + h, x : x + w])
        x0, y0, x1, y1 = (edge / scale for edge in (x, y, x + w, y + h))
        return Face((x0, y0, x1, y1), support / (support + _NEIGHBOURS), roll=roll)

    def _roll(self, face: GreyPixels) -> float:
        """Degrees by which the line through both eyes is turned; 0 where they are not detected."""
        side = face.shape[1]
        if side < _EYES_FROM:
            return 0.0
        top, bottom = (int(side * share) for share in _EYE_ROWS)
        found = self._cascades.of(_EYES).detectMultiScale(
            face[top:bottom], scaleFactor=1.05, minNeighbors=5, minSize=(side // 8, side // 8)
        )
        middles = [(x + w / 2, y + h / 2) for x, y, w, h in np.reshape(found, (-1, 4))]
        left = [m for m in middles if m[0] < side / 2]
        right = [m for m in middles if m[0] >= side / 2]
        if len(left) != 1 or len(right) != 1:
            return 0.0
        dx, dy = right[0][0] - left[0][0], right[0][1] - left[0][1]
        valid = _EYE_DISTANCE[0] * side <= dx <= _EYE_DISTANCE[1] * side and abs(dy) <= _STEEPEST * dx
        return math.degrees(math.atan2(dy, dx)) if valid else 0.0


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> HaarDetector:
    """Always on the CPU. Raises PluginError where OpenCV lacks the cascades."""
    open_cascade(FRONTAL, "haar")
    return HaarDetector(options)
