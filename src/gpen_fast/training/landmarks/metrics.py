"""The held-out test: how far landmarks are off, and how well faces are told from what is none.

A face's error is the mean distance of its five landmarks from the manifest's, over the manifest's eye distance.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, moved
from gpen_fast.stages.detect.cascade.landmark_net import LandmarkNet
from gpen_fast.stages.detect.cascade.windows import Pyramid, read_windows, windows_of
from gpen_fast.stages.detect.retina.compact import fold_normalisations
from gpen_fast.training.data import HELD_OUT
from gpen_fast.training.landmarks.config import Jitter
from gpen_fast.training.landmarks.samples import small_faces
from gpen_fast.training.landmarks.windows import around, jittered

ROLLS = ((0, 0), (-15, 15), (-30, 30))
# How far the cascades' boxes are off, and how often each face is tried.
_BOXES = Jitter(0.0, 1.2, 0.1)
_TRIES = 4
_SURE = 0.5


@dataclass(frozen=True)
class Row:
    """One line of the table. roll: most degrees. mean, p95: errors over the eye distance, of the first and the
    second reading. found: share of the faces that score as one."""

    roll: int
    first_mean: float
    mean: float
    p95: float
    found: float


def usable(network: LandmarkNet) -> LandmarkNet:
    """A copy without normalisations, as it is published."""
    plain: LandmarkNet = fold_normalisations(copy.deepcopy(network).eval())  # type: ignore[assignment]
    return plain.requires_grad_(False)


def held_out_rows(network: LandmarkNet, data: Path, crop: int = 256, seed: int = 0) -> list[Row]:
    """The held-out faces, each at random rolls within the row's, in windows as inexact as the cascades' boxes.

    crop: side of the portraits, pixels.
    """
    faces, landmarks = small_faces(data, HELD_OUT, crop)
    return [_row(network, faces, landmarks, rolls, seed) for rolls in ROLLS]


def _row(
    network: LandmarkNet, faces: NDArray[np.uint8], landmarks: Points, rolls: tuple[int, int], seed: int
) -> Row:
    rng = np.random.default_rng([seed, rolls[1]])
    first, second, found = [], [], []
    for face, points in zip(faces, landmarks, strict=True):
        for _ in range(_TRIES):
            turned, there = rolled(face, points, rng.uniform(*rolls))
            pyramid = Pyramid(np.asarray(cv2.cvtColor(turned, cv2.COLOR_RGB2GRAY)))
            # Nobody knows the roll beforehand: the window is upright.
            window = jittered(around(upright(there)), rng, _BOXES)
            rough, _ = read_windows(network, pyramid, window[None])
            fine, score = read_windows(network, pyramid, windows_of(rough))
            first.append(error(rough[0], there))
            second.append(error(fine[0], there))
            found.append(score[0] > _SURE)
    return Row(
        rolls[1],
        *(
            round(float(v), 4)
            for v in (np.mean(first), np.mean(second), np.percentile(second, 95), np.mean(found))
        ),
    )


def error(points: Points, wanted: Points) -> float:
    """Mean distance of (5,2) landmarks over the eye distance."""
    return float(np.linalg.norm(points - wanted, axis=1).mean() / np.linalg.norm(wanted[1] - wanted[0]))


def rolled(face: NDArray[np.uint8], landmarks: Points, degrees: float) -> tuple[NDArray[np.uint8], Points]:
    """A picture turned about its middle, its border reflected, and the landmarks in it."""
    side = face.shape[0]
    middle = (side - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((middle, middle), degrees, 1.0), dtype=np.float64)
    turned = cv2.warpAffine(
        face, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(turned), moved(matrix[None], landmarks[None])[0]


def upright(landmarks: Points) -> Points:
    """(5,2) landmarks turned about their mean until the eyes are level."""
    across, down = landmarks[1] - landmarks[0]
    c, s = np.array([across, down]) / np.hypot(across, down)
    middle = landmarks.mean(axis=0)
    return np.asarray((landmarks - middle) @ np.array([[c, -s], [s, c]]) + middle)
