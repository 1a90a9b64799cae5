"""Windows around faces and elsewhere: (2,3) similarities from a picture's pixels to the window's pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, moved, similarities
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE
from gpen_fast.training.landmarks.config import Jitter, WindowConfig

Matrix = NDArray[np.float64]
Picture = NDArray[np.uint8]
# The jitter of misplaced windows: any rotation, up to four times smaller or larger.
_FARTHEST = Jitter(180.0, 4.0, 0.8)
# The window's centre in its pixels.
_MIDDLE = SIDE / 2 - 0.5
# The order of the landmarks after a mirror: eyes and mouth corners change sides.
_MIRRORED = [1, 0, 2, 4, 3]


def fitting_window(landmarks: Points) -> Matrix:
    """Returns the window in which (5,2) landmarks lie in their places."""
    return np.asarray(similarities(landmarks[None], TEMPLATE * SIDE - 0.5)[0])


def points_in_window(window: Matrix, landmarks: Points) -> Points:
    """Returns where a window shows (5,2) landmarks, 0..1 along its sides."""
    return (moved(window[None], landmarks[None])[0] + 0.5) / SIDE


def jittered_window(window: Matrix, rng: np.random.Generator, jitter: Jitter) -> Matrix:
    """Returns a window turned about its centre, scaled, squeezed and shifted at random, within the jitter."""
    # A similarity about the window's centre; the squeeze acts on the face's width before it is rotated.
    turn = math.radians(rng.uniform(-jitter.rotation, jitter.rotation))
    scale = jitter.scale ** rng.uniform(-1, 1)
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    move = np.array([[c, -s], [s, c]]) * (1 - rng.uniform(0, jitter.squeeze), 1.0)
    shift = rng.uniform(-jitter.shift, jitter.shift, (2, 1)) * SIDE
    return np.concatenate([move @ window[:, :2], move @ (window[:, 2:] - _MIDDLE) + _MIDDLE + shift], axis=1)


def misplaced_window(landmarks: Points, rng: np.random.Generator, windows: WindowConfig) -> Matrix:
    """Returns a window on or beside a face, so far from its place that it must not count as one."""
    home = fitting_window(landmarks)
    while True:
        window = jittered_window(home, rng, _FARTHEST)
        if distance_from_template(window, landmarks) > windows.apart:
            return window


def distance_from_template(window: Matrix, landmarks: Points) -> float:
    """Returns the mean distance of (5,2) landmarks from their places in a window, as a part of its side."""
    return float(np.linalg.norm(points_in_window(window, landmarks) - TEMPLATE, axis=1).mean())


def random_window(picture: Picture, rng: np.random.Generator, least: float) -> Matrix:
    """Returns a window somewhere in a picture, near one of the four upright directions.

    Args:
        picture: (H,W,3) uint8.
        rng: The source of all randomness.
        least: Pixels of the picture that the window's side covers, at least.
    """
    height, width = picture.shape[:2]
    most = min(height, width)
    # Sides are drawn on a logarithmic scale: small windows are as frequent as large ones.
    side = math.exp(rng.uniform(math.log(min(least, most)), math.log(most)))
    turn = rng.choice((0, 90, 180, 270)) + rng.uniform(-20, 20)
    middle = rng.uniform(side / 2, width - side / 2 + 1), rng.uniform(side / 2, height - side / 2 + 1)
    return square_window(middle, side, turn)


def square_window(middle: tuple[float, float], side: float, turn: float = 0.0) -> Matrix:
    """Returns the window that shows a square.

    Args:
        middle: The square's centre in pixels.
        side: The square's side in pixels.
        turn: Degrees that it is turned by.
    """
    matrix: Matrix = np.asarray(cv2.getRotationMatrix2D(middle, turn, SIDE / side), dtype=np.float64)
    matrix[:, 2] += _MIDDLE - np.asarray(middle, dtype=np.float64)
    return matrix


def mirror_face(picture: Picture, landmarks: Points) -> tuple[Picture, Points]:
    """Mirrors a face and its (5,2) landmarks; the left eye becomes the right one."""
    mirrored = landmarks.copy()
    mirrored[:, 0] = picture.shape[1] - 1 - mirrored[:, 0]
    return np.ascontiguousarray(picture[:, ::-1]), mirrored[_MIRRORED]
