"""The embedded detector: OpenCV's cascades propose windows, a network of this project scores them and finds landmarks.

The cascades report every window that they take for a face, at coarse steps: the network decides. It scores each
proposal, then a second window that the first one's landmarks turn and centre. The landmarks and the score of that
second window count, as in "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks" (Zhang
et al., 2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, inverses, moved
from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import AUTO_SIZE, DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, PROFILE, Cascades, luma_of, open_cascade
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE, read_net
from gpen_fast.stages.detect.cascade.proposals import View, proposed, shrunk_view, turned_view
from gpen_fast.stages.detect.cascade.windows import Pyramid, read_windows, windows_of
from gpen_fast.stages.detect.search import bound_of
from gpen_fast.store.locate import required
from gpen_fast.types import Face, Frame

FACTS = DetectorFacts(
    rank=4,
    weights=("landmarks-lite",),
    gives_landmarks=True,
    on_host=True,
    help="OpenCV's cascades and an embedded network: landmarks, no download",
)

_THRESHOLD = 0.85
# The long side in the first pass, in the larger one, and in the close ones for faces that are turned or fill the
# picture, pixels.
_FIRST, _LARGE, _CLOSE = 640, 1600, 400
# A face with a side below this many pixels in the first pass is as small as that pass can detect: it may miss smaller.
_SMALL = 18
# Degrees by which the picture is turned in the close passes, and the border's share of each side.
_TURNS, _BORDER = (-35.0, 0.0, 35.0), 0.25
# A proposal that scores below this is not refined.
_HOPELESS = 0.1
# As shares of the eye distance: two estimates of a face agree within the first, two faces are one within the second.
_AGREED, _SAME = 0.3, 0.6
# The side of a face's box divided by its window's: from the eyebrows to the chin.
_BOX = 0.8


@dataclass(frozen=True)
class ScoredLandmarks:
    """Faces as the landmark network estimates them."""

    points: Points
    """(B,5,2) landmarks in the picture's pixels."""

    scores: NDArray[np.float64]
    """(B,) 0..1."""

    def of(self, which: NDArray[np.bool_] | NDArray[np.int_]) -> ScoredLandmarks:
        """Those that a mask or indices select."""
        return ScoredLandmarks(self.points[which], self.scores[which])


class LiteDetector:
    """Landmarks on the host, in any thread."""

    name = "lite"
    on_host = FACTS.on_host
    box_points = (TEMPLATE - 0.5) / _BOX + 0.5

    def __init__(self, weights: Path, options: DetectOptions) -> None:
        self.threshold = _THRESHOLD if options.detect_threshold is None else options.detect_threshold
        self.bound = bound_of(options.detect_size, _LARGE)
        self._always_larger = options.detect_size != AUTO_SIZE
        self.weights = weights
        self._network, self._cascades = read_net(weights), Cascades(self.name)

    def __call__(self, frame: Frame) -> list[Face]:
        """Detects the faces, best first, in one to three passes."""
        pyramid = Pyramid(luma_of(frame))
        longest = max(frame.width, frame.height)
        largest = min(longest, self.bound or longest)
        first = min(_FIRST, largest)
        found = self._run_pass(pyramid, [shrunk_view(pyramid.grey, first)])
        if largest > first and (self._always_larger or _may_hide_more(found, first / longest)):
            found = self._run_pass(pyramid, [shrunk_view(pyramid.grey, largest)])
        if not len(found.scores):
            close = shrunk_view(pyramid.grey, min(_CLOSE, first))
            found = self._run_pass(pyramid, [turned_view(close, turn, _BORDER) for turn in _TURNS])
        return [_face(*each) for each in zip(found.points, found.scores, strict=True)]

    def _run_pass(self, pyramid: Pyramid, views: list[View]) -> ScoredLandmarks:
        """The faces in what the cascades propose in some views of a picture."""
        windows = np.concatenate([proposed(self._cascades, view) for view in views])
        rough = ScoredLandmarks(*read_windows(self._network, pyramid, windows))
        rough = _distinct(rough.of(rough.scores >= min(_HOPELESS, self.threshold)))
        fine = ScoredLandmarks(*read_windows(self._network, pyramid, windows_of(rough.points)))
        agreed = _distances(fine.points, rough.points) < _AGREED
        return _distinct(fine.of(agreed & (fine.scores >= self.threshold)))


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> LiteDetector:
    """Always on the CPU. Raises PluginError where OpenCV lacks the cascades, and what `required` and `read_net` do."""
    for file in (FRONTAL, PROFILE):
        open_cascade(file, LiteDetector.name)
    return LiteDetector(required(FACTS.weights[0], weights), options)


def _may_hide_more(found: ScoredLandmarks, scale: float) -> bool:
    """Whether a pass at `scale` of the picture's pixels found no face, or one as small as it can detect."""
    sides = _sides(found.points) * (_BOX * scale)
    return not len(sides) or bool((sides < _SMALL).any())


def _distinct(found: ScoredLandmarks) -> ScoredLandmarks:
    """The best estimate of each face, best first."""
    kept: list[int] = []
    for i in np.argsort(-found.scores, kind="stable"):
        if not kept or bool((_distances(found.points[kept], found.points[i][None]) >= _SAME).all()):
            kept.append(int(i))
    return found.of(np.array(kept, dtype=int))


def _distances(ours: Points, others: Points) -> NDArray[np.float64]:
    """(B,): mean distance of (B,5,2) landmarks from (B|1,5,2) others, over the larger face's usual eye distance."""
    eyes = (TEMPLATE[1, 0] - TEMPLATE[0, 0]) * np.maximum(_sides(ours), _sides(others))
    return np.asarray(np.linalg.norm(ours - others, axis=2).mean(axis=1) / eyes)


def _sides(landmarks: Points) -> NDArray[np.float64]:
    """(B,): the sides of the windows of (B,5,2) landmarks, in the picture's pixels."""
    windows = windows_of(landmarks)
    return SIDE / np.hypot(windows[:, 0, 0], windows[:, 1, 0])


def _face(points: Points, score: float) -> Face:
    half = float(_sides(points[None])[0]) * _BOX / 2
    x, y = moved(inverses(windows_of(points[None])), np.full((1, 1, 2), (SIDE - 1) / 2))[0, 0].tolist()
    return Face((x - half, y - half, x + half, y + half), float(score), points)
