"""Mines non-faces that matter: windows where OpenCV's cascades, which propose windows to `lite`, are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, PROFILE, Cascades
from gpen_fast.training.landmarks.windows import Matrix, Picture, distance_from_template, square_window

# Rotations and scales of each scene, because the cascades find something else in each.
_TURNS = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180)
_SHRINKS = (1.0, 0.6)
# Cascade, and whether it is mirrored: the profile cascade knows one side only.
_CASCADES = ((FRONTAL, False), (PROFILE, False), (PROFILE, True))
# Side of a landmark window over the side of a cascade's box.
_WINDOW = 1.28
# Parts of the window's side: a window whose landmarks are on average nearer to their places shows the face itself.
_APART = 0.4


@dataclass(frozen=True)
class MinedWindow:
    """A window that a cascade took for a face."""

    picture: Picture
    """(H,W,3) RGB uint8: the whole picture."""

    window: Matrix
    """(2,3): from the picture to the window."""

    landmarks: Points | None
    """(5,2), pixels: the landmarks of the picture's own face; None if it shows no face."""


def mine_windows(faces: NDArray[np.uint8], landmarks: Points, scenes: list[Picture]) -> list[MinedWindow]:
    """Returns every window that a cascade wrongly takes for a face, in a fixed order.

    Args:
        faces: (N,S,S,3) RGB uint8 portraits.
        landmarks: (N,5,2), their landmarks in pixels.
        scenes: Pictures without faces.
    """
    cascades = Cascades()
    mined = []
    for scene in scenes:
        for turned in _turned(scene):
            mined += [MinedWindow(turned, window, None) for window in _windows(cascades, turned)]
    for face, points in zip(faces, landmarks, strict=True):
        windows = _windows(cascades, face)
        mined += [
            MinedWindow(face, window, points)
            for window in windows
            if distance_from_template(window, points) > _APART
        ]
    return mined


def _turned(scene: Picture) -> Iterator[Picture]:
    for turn in _TURNS:
        turned = scene if turn is None else cv2.rotate(scene, turn)
        for shrink in _SHRINKS:
            yield np.asarray(cv2.resize(turned, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))


def _windows(cascades: Cascades, picture: Picture) -> list[Matrix]:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    boxes = [
        box
        for file, mirrored in _CASCADES
        for box in cascades.find(file, grey, neighbours=0, mirrored=mirrored)
    ]
    return [square_window((x + w / 2, y + h / 2), _WINDOW * w) for x, y, w, h in boxes]
