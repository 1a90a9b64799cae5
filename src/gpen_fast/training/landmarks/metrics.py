"""The held-out test: how far landmarks are off, and how many faces are recognised.

A face's error is the mean distance of its five landmarks from the manifest's, as a part of the manifest's eye distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, moved
from gpen_fast.stages.detect.cascade.landmark_net import LandmarkNet
from gpen_fast.stages.detect.cascade.windows import Pyramid, read_windows, windows_of
from gpen_fast.training.data import HELD_OUT
from gpen_fast.training.landmarks.config import Jitter
from gpen_fast.training.landmarks.samples import small_faces
from gpen_fast.training.landmarks.windows import fitting_window, jittered_window

# Degrees that faces are rolled by, (least, most), one row of the table each.
ROLLS = ((0, 0), (-15, 15), (-30, 30))
# How far the boxes of OpenCV's cascades are off.
_BOXES = Jitter(0.0, 1.2, 0.1)
# Windows of each face.
_TRIES = 4
# Score from which a window counts as a face.
_SURE = 0.5


@dataclass(frozen=True)
class LandmarkRow:
    """One line of the test's table."""

    roll: int
    """Faces are rolled by at most so many degrees, either way."""

    first_mean: float
    """Mean error of the first pass, as a part of the eye distance."""

    mean: float
    """Mean error of the second pass, whose window the first pass places."""

    p95: float
    """95th percentile of the second pass's errors."""

    found: float
    """Part of the faces that score as a face."""


def held_out_rows(network: LandmarkNet, data: Path, crop: int = 256, seed: int = 0) -> list[LandmarkRow]:
    """Tests a network on the held-out faces, in windows as inexact as the cascades' boxes.

    Args:
        network: The network in its published form.
        data: The training folder.
        crop: Side of its portraits in pixels.
        seed: Decides rolls and windows.

    Returns:
        One row for each range of rolls.
    """
    faces, landmarks = small_faces(data, HELD_OUT, crop)
    return [_row(network, faces, landmarks, rolls, seed) for rolls in ROLLS]


def _row(
    network: LandmarkNet, faces: NDArray[np.uint8], landmarks: Points, rolls: tuple[int, int], seed: int
) -> LandmarkRow:
    rng = np.random.default_rng([seed, rolls[1]])
    first, second, found = [], [], []
    for face, points in zip(faces, landmarks, strict=True):
        for _ in range(_TRIES):
            turned, wanted = roll_face(face, points, rng.uniform(*rolls))
            pyramid = Pyramid(np.asarray(cv2.cvtColor(turned, cv2.COLOR_RGB2GRAY)))
            # The detector does not know the roll beforehand, so the window is upright.
            window = jittered_window(fitting_window(level_eyes(wanted)), rng, _BOXES)
            rough, _ = read_windows(network, pyramid, window[None])
            fine, score = read_windows(network, pyramid, windows_of(rough))
            first.append(landmark_error(rough[0], wanted))
            second.append(landmark_error(fine[0], wanted))
            found.append(score[0] > _SURE)
    return LandmarkRow(
        rolls[1],
        *(
            round(float(v), 4)
            for v in (np.mean(first), np.mean(second), np.percentile(second, 95), np.mean(found))
        ),
    )


def landmark_error(points: Points, wanted: Points) -> float:
    """Returns the mean distance of (5,2) landmarks from the right ones, as a part of the eye distance."""
    return float(np.linalg.norm(points - wanted, axis=1).mean() / np.linalg.norm(wanted[1] - wanted[0]))


def roll_face(face: NDArray[np.uint8], landmarks: Points, degrees: float) -> tuple[NDArray[np.uint8], Points]:
    """Turns a face and its landmarks about the picture's centre; the border is reflected.

    Args:
        face: (S,S,3) uint8.
        landmarks: (5,2), pixels.
        degrees: The angle; positive ones turn to the left.
    """
    side = face.shape[0]
    middle = (side - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((middle, middle), degrees, 1.0), dtype=np.float64)
    turned = cv2.warpAffine(
        face, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(turned), moved(matrix[None], landmarks[None])[0]


def level_eyes(landmarks: Points) -> Points:
    """Turns (5,2) landmarks about their mean until the eyes are level."""
    across, down = landmarks[1] - landmarks[0]
    c, s = np.array([across, down]) / np.hypot(across, down)
    middle = landmarks.mean(axis=0)
    return np.asarray((landmarks - middle) @ np.array([[c, -s], [s, c]]) + middle)
