"""What the cascades take for a face where there is none: the non-faces that matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, PROFILE, Cascades
from gpen_fast.training.landmarks.windows import Matrix, Picture, of_square, off

_TURNS = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180)
_SEEN = ((FRONTAL, False), (PROFILE, False), (PROFILE, True))
_SHRINKS = (1.0, 0.6)
# A box over a landmark's window.
_WINDOW = 1.28
_APART = 0.4


@dataclass(frozen=True)
class Mined:
    """A window of a picture where a cascade saw a face. landmarks: of the picture's own face, if it has one."""

    picture: Picture
    window: Matrix
    landmarks: Points | None


def mine(faces: NDArray[np.uint8], landmarks: Points, scenes: list[Picture]) -> list[Mined]:
    """What every cascade sees in `scenes`, and beside the faces of (N,S,S,3) portraits; in a fixed order."""
    cascades = Cascades()
    found = []
    for scene in scenes:
        for turned in _turned(scene):
            found += [Mined(turned, window, None) for window in _windows(cascades, turned)]
    for face, points in zip(faces, landmarks, strict=True):
        windows = _windows(cascades, face)
        found += [Mined(face, window, points) for window in windows if off(window, points) > _APART]
    return found


def _turned(scene: Picture) -> Iterator[Picture]:
    for turn in _TURNS:
        turned = scene if turn is None else cv2.rotate(scene, turn)
        for shrink in _SHRINKS:
            yield np.asarray(cv2.resize(turned, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))


def _windows(cascades: Cascades, picture: Picture) -> list[Matrix]:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    boxes = [
        box for file, mirrored in _SEEN for box in cascades.find(file, grey, neighbours=0, mirrored=mirrored)
    ]
    return [of_square((x + w / 2, y + h / 2), _WINDOW * w) for x, y, w, h in boxes]
