"""Windows around faces and elsewhere, as (2,3) similarities from a picture to the window's pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, moved, similarities
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE
from gpen_fast.training.landmarks.config import Jitter, Windows

Matrix = NDArray[np.float64]
Picture = NDArray[np.uint8]
_FARTHEST = Jitter(180.0, 4.0, 0.8)
_MIDDLE = SIDE / 2 - 0.5
_MIRRORED = [1, 0, 2, 4, 3]


def around(landmarks: Points) -> Matrix:
    """The window in which the (5,2) `landmarks` lie in their places."""
    return np.asarray(similarities(landmarks[None], TEMPLATE * SIDE - 0.5)[0])


def seen_at(window: Matrix, landmarks: Points) -> Points:
    """Where `window` shows (5,2) landmarks, 0..1 along its sides."""
    return (moved(window[None], landmarks[None])[0] + 0.5) / SIDE


def jittered(window: Matrix, rng: np.random.Generator, jitter: Jitter) -> Matrix:
    """`window` turned about its middle, scaled, squeezed and shifted at random, within `jitter`."""
    turn = math.radians(rng.uniform(-jitter.rotation, jitter.rotation))
    scale = jitter.scale ** rng.uniform(-1, 1)
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    move = np.array([[c, -s], [s, c]]) * (1 - rng.uniform(0, jitter.squeeze), 1.0)
    shift = rng.uniform(-jitter.shift, jitter.shift, (2, 1)) * SIDE
    return np.concatenate([move @ window[:, :2], move @ (window[:, 2:] - _MIDDLE) + _MIDDLE + shift], axis=1)


def misplaced(landmarks: Points, rng: np.random.Generator, windows: Windows) -> Matrix:
    """A window on a face, or beside it, that no detector should take for one."""
    home = around(landmarks)
    while True:
        window = jittered(home, rng, _FARTHEST)
        if off(window, landmarks) > windows.apart:
            return window


def off(window: Matrix, landmarks: Points) -> float:
    """How far (5,2) landmarks are from their places in `window` on average, over its side."""
    return float(np.linalg.norm(seen_at(window, landmarks) - TEMPLATE, axis=1).mean())


def anywhere(picture: Picture, rng: np.random.Generator, least: float) -> Matrix:
    """A window of at least `least` pixels somewhere in a picture, turned at random."""
    height, width = picture.shape[:2]
    most = min(height, width)
    side = math.exp(rng.uniform(math.log(min(least, most)), math.log(most)))
    turn = rng.choice((0, 90, 180, 270)) + rng.uniform(-20, 20)
    middle = rng.uniform(side / 2, width - side / 2 + 1), rng.uniform(side / 2, height - side / 2 + 1)
    return of_square(middle, side, turn)


def of_square(middle: tuple[float, float], side: float, turn: float = 0.0) -> Matrix:
    """The window that shows a square of `side` pixels around `middle`, turned by `turn` degrees."""
    matrix: Matrix = np.asarray(cv2.getRotationMatrix2D(middle, turn, SIDE / side), dtype=np.float64)
    matrix[:, 2] += _MIDDLE - np.asarray(middle, dtype=np.float64)
    return matrix


def mirrored(picture: Picture, landmarks: Points) -> tuple[Picture, Points]:
    """A face and its (5,2) landmarks left to right: what was the left eye is the right one."""
    there = landmarks.copy()
    there[:, 0] = picture.shape[1] - 1 - there[:, 0]
    return np.ascontiguousarray(picture[:, ::-1]), there[_MIRRORED]
