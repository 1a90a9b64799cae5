"""The embedded detector: one small network proposes windows, a second one scores them and finds landmarks.

The proposer marks every window that may hold a face, at coarse steps: the landmark network decides. It scores each
proposal, then a second window that the first one's landmarks turn and centre. The landmarks and the score of that
second window count, as in "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks" (Zhang
et al., 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, inverses, moved
from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import AUTO_SIZE, DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE, read_net
from gpen_fast.stages.detect.cascade.luma import luma_of
from gpen_fast.stages.detect.cascade.proposals import View, bordered_view, proposed, quarter_view, shrunk_view
from gpen_fast.stages.detect.cascade.proposer_net import read_proposer
from gpen_fast.stages.detect.cascade.windows import Pyramid, read_windows, windows_of
from gpen_fast.stages.detect.search import bound_of
from gpen_fast.store.locate import required
from gpen_fast.types import Face, Frame

FACTS = DetectorFacts(
    rank=4,
    weights=("landmarks-lite",),
    gives_landmarks=True,
    any_angle=True,
    on_host=True,
    help="two small embedded networks: landmarks, no download",
)

# The landmark network and the proposer: both are part of the package.
EMBEDDED = ("landmarks-lite", "proposer-lite")
_THRESHOLD = 0.88
# The least score in the turned views, which give a mistake three more chances: of 14 portraits upside down each scored
# above 0.99, and the one mistake 0.90.
_TURNED_THRESHOLD = 0.95
# The long side in the first pass, in the larger one, in the close one for faces that fill the picture, and in the
# turned ones, pixels.
_FIRST, _LARGE, _CLOSE, _TURNED = 640, 1600, 400, 400
# A face with a side below this many pixels in the first pass is as small as that pass can detect: it may miss smaller.
_SMALL = 18
# The close pass's border, as a share of each side.
_BORDER = 0.25
# The most proposals in each turned view: textures would have hundreds, and a portrait needs one.
_TURNED_MOST = 24
# The most proposals in any other view: a large group has some hundred faces.
_MOST = 300
# How far a window reaches beyond a face's landmarks, as a share of their extent.
_REACH = 1.25
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

    def __init__(self, weights: Path, proposer: Path, options: DetectOptions) -> None:
        self.threshold = _THRESHOLD if options.detect_threshold is None else options.detect_threshold
        self.bound = bound_of(options.detect_size, _LARGE)
        self._always_larger = options.detect_size != AUTO_SIZE
        self.weights = weights
        self._network, self._proposer = read_net(weights), read_proposer(proposer)

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
            found = self._run_pass(pyramid, [bordered_view(close, _BORDER)])
        return _faces(found)

    def at_any_angle(self, frame: Frame) -> list[Face]:
        """Detects the faces in a small copy of the picture, upright, on either side and upside down, best first."""
        pyramid = Pyramid(luma_of(frame))
        small = shrunk_view(pyramid.grey, min(_TURNED, self.bound or _TURNED))
        views = [quarter_view(small, quarters) for quarters in range(4)]
        found = self._run_pass(pyramid, views, _TURNED_MOST)
        return _faces(found.of(found.scores >= _TURNED_THRESHOLD))

    def confirms(self, frame: Frame, landmarks: Points, near: float) -> bool:
        """Whether there is an upright face with such landmarks.

        Args:
            frame: The picture.
            landmarks: (5,2), pixels.
            near: The most that they may be off on average, as a share of the eye distance.
        """
        shown, corner = _surroundings(frame, landmarks)
        claimed = landmarks[None] - corner
        points, scores = read_windows(self._network, Pyramid(luma_of(shown)), windows_of(claimed))
        return bool(scores[0] >= _THRESHOLD and _distances(points, claimed)[0] < near)

    def _run_pass(self, pyramid: Pyramid, views: Sequence[View], most: int = _MOST) -> ScoredLandmarks:
        """The faces in what the proposer marks, `most` windows at most, in each of some views of a picture."""
        windows = np.concatenate([proposed(self._proposer, view)[:most] for view in views])
        rough = ScoredLandmarks(*read_windows(self._network, pyramid, windows))
        rough = _distinct(rough.of(rough.scores >= min(_HOPELESS, self.threshold)))
        fine = ScoredLandmarks(*read_windows(self._network, pyramid, windows_of(rough.points)))
        agreed = _distances(fine.points, rough.points) < _AGREED
        return _distinct(fine.of(agreed & (fine.scores >= self.threshold)))


class LandmarkReader:
    """The landmark network alone: it measures faces whose place is known, on the host."""

    def __init__(self, weights: WeightsOptions) -> None:
        """Raises what `required` and `read_net` do."""
        self._network = read_net(required(EMBEDDED[0], weights))

    def __call__(self, frame: Frame, landmarks: Points) -> tuple[Points, NDArray[np.float64]]:
        """Measures (B,5,2) landmarks and (B,) scores, 0..1, of faces that have about these (B,5,2) landmarks."""
        found = [self._measured(frame, each) for each in landmarks]
        return np.stack([points for points, _ in found]), np.array([score for _, score in found])

    def _measured(self, frame: Frame, landmarks: Points) -> tuple[Points, float]:
        shown, corner = _surroundings(frame, landmarks)
        window = windows_of(landmarks[None] - corner)
        points, scores = read_windows(self._network, Pyramid(luma_of(shown)), window)
        return points[0] + corner, float(scores[0])


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> LiteDetector:
    """Always on the CPU. Raises what `required`, `read_net` and `read_proposer` do."""
    return LiteDetector(required(EMBEDDED[0], weights), required(EMBEDDED[1], weights), options)


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


def _surroundings(frame: Frame, landmarks: Points) -> tuple[Frame, NDArray[np.float64]]:
    """The part of a picture around (5,2) landmarks, as far as a window reaches, and its corner, (2,) pixels."""
    reach = _REACH * np.ptp(landmarks, axis=0).max()
    sides = np.array([frame.width, frame.height])
    low = np.clip(np.floor(landmarks.min(axis=0) - reach), 0, sides - 1).astype(int)
    high = np.clip(np.ceil(landmarks.max(axis=0) + reach), low + 1, sides).astype(int)
    pixels = frame.pixels if frame.host is None else frame.host
    return Frame(pixels[:, low[1] : high[1], low[0] : high[0]]), low.astype(np.float64)


def _faces(found: ScoredLandmarks) -> list[Face]:
    return [_face(*each) for each in zip(found.points, found.scores, strict=True)]


def _face(points: Points, score: float) -> Face:
    half = float(_sides(points[None])[0]) * _BOX / 2
    x, y = moved(inverses(windows_of(points[None])), np.full((1, 1, 2), (SIDE - 1) / 2))[0, 0].tolist()
    return Face((x - half, y - half, x + half, y + half), float(score), points)
