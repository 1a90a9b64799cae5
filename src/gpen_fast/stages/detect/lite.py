"""The embedded detector: the cascades inside OpenCV propose, a network of our own judges and finds five landmarks.

The cascades are asked for every window that looks like a face to them, at coarse steps: it is the network that
decides. It reads each proposal, is shown a second window turned and centred by the landmarks of the first, and gives
the landmarks and the score of that one, as "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (Zhang et al., 2016) refines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, inverses, moved
from gpen_fast.settings import AUTO_SIZE, FULL_SIZE, Settings
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, PROFILE, Cascades, luma, open_cascade
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE, read_net
from gpen_fast.stages.detect.cascade.proposals import View, proposed, shrunk_view, turned_view
from gpen_fast.stages.detect.cascade.windows import Pyramid, read, windows_of
from gpen_fast.store.locate import required
from gpen_fast.types import Face, Frame

WEIGHTS = ("landmarks-lite",)

_THRESHOLD = 0.85
# Long sides, pixels: the first look, the larger one, and those for faces that are turned or fill the picture.
_FIRST, _LARGE, _CLOSE = 640, 1600, 400
# A face below this side in the first look is as small as can be seen there: smaller ones may be missed.
_SMALL = 18
_TURNS, _BORDER = (-35.0, 0.0, 35.0), 0.25
# Proposals below this score are not looked at again.
_HOPELESS = 0.1
# Two readings of a face agree within this share of the eye distance, two faces are one within that.
_AGREED, _SAME = 0.3, 0.6
# The box that is given, over the window's side: from the eyebrows to the chin.
_BOX = 0.8


@dataclass(frozen=True)
class Reading:
    """Landmarks (B,5,2) in the picture's pixels, and scores (B,), 0..1."""

    points: Points
    scores: NDArray[np.float64]

    def of(self, which: NDArray[Any]) -> Reading:
        """Some of them."""
        return Reading(self.points[which], self.scores[which])


class LiteDetector:
    """Landmarks on the host, in any thread."""

    name = "lite"
    on_host = True
    box_points = (TEMPLATE - 0.5) / _BOX + 0.5

    def __init__(self, weights: Path, settings: Settings) -> None:
        self.threshold = _THRESHOLD if settings.detect_threshold is None else settings.detect_threshold
        size = settings.detect_size
        self.bound = {AUTO_SIZE: _LARGE, FULL_SIZE: None}[size] if isinstance(size, str) else size
        self._always_larger = size != AUTO_SIZE
        self.weights = weights
        self._network, self._cascades = read_net(weights), Cascades(self.name)

    def __call__(self, frame: Frame) -> list[Face]:
        """The faces, best first."""
        pyramid = Pyramid(luma(frame))
        longest = max(frame.width, frame.height)
        largest = min(longest, self.bound or longest)
        first = min(_FIRST, largest)
        found = self._search_pass(pyramid, [shrunk_view(pyramid.grey, first)])
        if largest > first and (self._always_larger or _may_hide_more(found, first / longest)):
            found = self._search_pass(pyramid, [shrunk_view(pyramid.grey, largest)])
        if not len(found.scores):
            close = shrunk_view(pyramid.grey, min(_CLOSE, first))
            found = self._search_pass(pyramid, [turned_view(close, turn, _BORDER) for turn in _TURNS])
        return [_face(*each) for each in zip(found.points, found.scores, strict=True)]

    def _search_pass(self, pyramid: Pyramid, views: list[View]) -> Reading:
        windows = np.concatenate([proposed(self._cascades, view) for view in views])
        rough = Reading(*read(self._network, pyramid, windows))
        rough = _distinct(rough.of(rough.scores >= min(_HOPELESS, self.threshold)))
        fine = Reading(*read(self._network, pyramid, windows_of(rough.points)))
        agreed = _apart(fine.points, rough.points) < _AGREED
        return _distinct(fine.of(agreed & (fine.scores >= self.threshold)))


def create(settings: Settings, device: torch.device) -> LiteDetector:
    """Always on the CPU. Raises PluginError where OpenCV lacks the cascades, or what its weights raise."""
    for file in (FRONTAL, PROFILE):
        open_cascade(file, LiteDetector.name)
    return LiteDetector(required(WEIGHTS[0], settings.weights), settings)


def _may_hide_more(found: Reading, scale: float) -> bool:
    """Whether a look at `scale` of the picture's pixels found nobody, or faces as small as it can see."""
    sides = _sides(found.points) * (_BOX * scale)
    return not len(sides) or bool((sides < _SMALL).any())


def _distinct(found: Reading) -> Reading:
    """The best reading of each face, best first."""
    kept: list[int] = []
    for i in np.argsort(-found.scores, kind="stable"):
        if not kept or (_apart(found.points[kept], found.points[i][None]) >= _SAME).all():
            kept.append(int(i))
    return found.of(np.array(kept, dtype=int))


def _apart(ours: Points, others: Points) -> NDArray[np.float64]:
    """(B,): mean distance of (B,5,2) landmarks from (B|1,5,2) others, over the larger one's usual eye distance."""
    eyes = (TEMPLATE[1, 0] - TEMPLATE[0, 0]) * np.maximum(_sides(ours), _sides(others))
    return np.asarray(np.linalg.norm(ours - others, axis=2).mean(axis=1) / eyes)


def _sides(landmarks: Points) -> NDArray[np.float64]:
    """(B,): the sides of the windows of (B,5,2) landmarks, pixels of the picture."""
    windows = windows_of(landmarks)
    return SIDE / np.hypot(windows[:, 0, 0], windows[:, 1, 0])


def _face(points: Points, score: float) -> Face:
    half = float(_sides(points[None])[0]) * _BOX / 2
    x, y = moved(inverses(windows_of(points[None])), np.full((1, 1, 2), (SIDE - 1) / 2))[0, 0].tolist()
    return Face((x - half, y - half, x + half, y + half), float(score), points)
