"""The embedded detector: the cascades inside OpenCV propose, a network of our own judges and finds five landmarks.

The cascades are asked for every window that looks like a face to them, quickly and at coarse steps: it is the
network that decides. It reads each proposal, is shown a second window turned and centred by the landmarks of the
first, and gives the landmarks and the score of that one, as "Joint Face Detection and Alignment using Multi-task
Cascaded Convolutional Networks" (Zhang et al., 2016) refines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.settings import AUTO_SIZE, FULL_SIZE, Settings
from gpen_fast.similarity import Points, inverses, moved
from gpen_fast.stages.detect._cascades import FRONTAL, PROFILE, Cascades, Grey, luma, open_cascade, shrunk
from gpen_fast.stages.detect._landmark_net import SIDE, TEMPLATE, read_net
from gpen_fast.stages.detect._windows import Matrices, Pyramid, read, windows_of, windows_of_boxes
from gpen_fast.store.locate import required
from gpen_fast.types import Face, Frame

WEIGHTS = ("landmarks-lite",)

_THRESHOLD = 0.5
# Long sides, pixels: the first look, that of the profile cascade, and the larger one.
_FIRST, _PROFILE, _LARGE = 640, 400, 1600
# The cascades' own smallest window, and the face of the first look below which smaller ones may be missed.
_SMALLEST, _SMALL = 20, 24
_STEP = 1.25
# Proposals below this score are not looked at again.
_HOPELESS = 0.05
# Two readings of a face agree within this share of the eye distance, two faces are one within that.
_AGREED, _SAME = 0.3, 0.6
# Median landmarks in the cascades' boxes; the profile cascade knows faces that look to the left.
_FRONTAL_POINTS = np.array([[0.304, 0.395], [0.696, 0.395], [0.5, 0.62], [0.316, 0.766], [0.684, 0.766]])
_PROFILE_POINTS = np.array([[0.159, 0.425], [0.506, 0.424], [0.322, 0.619], [0.179, 0.759], [0.493, 0.758]])
_OTHER_PROFILE = (_PROFILE_POINTS * (-1, 1) + (1, 0))[[1, 0, 2, 4, 3]]
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
        self._exact = size != AUTO_SIZE
        self.weights = weights
        self._network, self._cascades = read_net(weights), Cascades(self.name)

    def __call__(self, frame: Frame) -> list[Face]:
        """The faces, best first."""
        grey = luma(frame)
        longest = max(grey.shape)
        largest = min(longest, self.bound or longest)
        first = min(_FIRST, largest)
        found = self._look(grey, first)
        if largest > first and (self._exact or self._may_hide_more(found, first / longest)):
            found = self._look(grey, largest)
        return [_face(*each) for each in zip(found.points, found.scores, strict=True)]

    def _may_hide_more(self, found: Reading, scale: float) -> bool:
        sides = _sides(windows_of(found.points)) * (_BOX * scale)
        return not len(sides) or bool((sides < _SMALL).any())

    def _look(self, grey: Grey, long_side: int) -> Reading:
        pyramid = Pyramid(grey)
        rough = self._read(pyramid, self._proposed(grey, long_side))
        rough = _distinct(rough.of(rough.scores >= min(_HOPELESS, self.threshold)))
        fine = self._read(pyramid, windows_of(rough.points))
        agreed = _apart(fine.points, rough.points) < _AGREED
        return _distinct(fine.of(agreed & (fine.scores >= self.threshold)))

    def _read(self, pyramid: Pyramid, windows: Matrices) -> Reading:
        return Reading(*read(self._network, pyramid, windows))

    def _proposed(self, grey: Grey, long_side: int) -> Matrices:
        """Windows of the picture in which a cascade sees a face."""
        windows = []
        small, scale = shrunk(grey, long_side)
        smaller, its_scale = shrunk(small, min(_PROFILE, long_side))
        boxes = self._cascades.find(FRONTAL, small, neighbours=0, step=_STEP, smallest=_SMALLEST)
        windows.append(windows_of_boxes(_grouped(boxes) / scale, _FRONTAL_POINTS))
        for mirrored, points in ((False, _PROFILE_POINTS), (True, _OTHER_PROFILE)):
            boxes = self._cascades.find(
                PROFILE, smaller, neighbours=0, step=_STEP, smallest=_SMALLEST, mirrored=mirrored
            )
            windows.append(windows_of_boxes(_grouped(boxes) / (scale * its_scale), points))
        return np.concatenate(windows)


def create(settings: Settings, device: torch.device) -> LiteDetector:
    """Always on the CPU. Raises PluginError where OpenCV lacks the cascades, or what its weights raise."""
    for file in (FRONTAL, PROFILE):
        open_cascade(file, LiteDetector.name)
    return LiteDetector(required(WEIGHTS[0], settings), settings)


def _grouped(boxes: NDArray[np.int32]) -> NDArray[Any]:
    """(N,4) boxes x, y, width, height: one for each group of alike ones, however few."""
    twice = [*boxes.tolist(), *boxes.tolist()]
    grouped, _ = cv2.groupRectangles(twice, 1, 0.2)
    return np.reshape(np.asarray(grouped, dtype=np.float64), (-1, 4))


def _distinct(found: Reading) -> Reading:
    """The best of each face, best first."""
    kept: list[int] = []
    for i in np.argsort(-found.scores, kind="stable"):
        if not kept or _apart(found.points[kept], found.points[i][None]).min() >= _SAME:
            kept.append(int(i))
    return found.of(np.array(kept, dtype=int))


def _apart(ours: Points, others: Points) -> NDArray[np.float64]:
    """(B,): mean distance of (B,5,2) landmarks from (B|1,5,2) others, over the larger scale of the two windows."""
    eyes = TEMPLATE[1, 0] - TEMPLATE[0, 0]
    sides = np.maximum(_sides(windows_of(ours)), _sides(windows_of(others))) if len(others) else 1.0
    return np.asarray(np.linalg.norm(ours - others, axis=2).mean(axis=1) / (sides * eyes))


def _sides(windows: Matrices) -> NDArray[np.float64]:
    """(B,): the windows' sides in the picture's pixels."""
    return SIDE / np.hypot(windows[:, 0, 0], windows[:, 1, 0])


def _face(points: Points, score: float) -> Face:
    window = windows_of(points[None])
    side = float(_sides(window)[0]) * _BOX
    x, y = moved(inverses(window), np.full((1, 1, 2), (SIDE - 1) / 2))[0, 0]
    return Face((x - side / 2, y - side / 2, x + side / 2, y + side / 2), float(score), points)
