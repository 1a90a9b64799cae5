"""A known face in frames that tests move, and a stand-in for the landmark network."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from clips import HOPPER, Portrait
from helpers import EXAMPLES
from numpy.typing import NDArray

from gpen_fast.types import Face, Frame

POINTS = np.array(HOPPER.points)


def portrait(which: Portrait = HOPPER) -> NDArray[np.uint8]:
    picture = cv2.imread(str(EXAMPLES / which.name), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.ascontiguousarray(picture[..., ::-1])


def similarity(
    scale: float = 1.0, degrees: float = 0.0, x: float = 0.0, y: float = 0.0
) -> NDArray[np.float64]:
    """About the face's middle, then moved."""
    matrix = cv2.getRotationMatrix2D(tuple(POINTS.mean(axis=0)), degrees, scale)
    matrix[:, 2] += (x, y)
    return matrix


def moved_by(matrix: NDArray[np.float64], points: NDArray[np.float64] = POINTS) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


def frame_of(pixels: NDArray[np.uint8]) -> Frame:
    return Frame(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))))


def shown(matrix: NDArray[np.float64], picture: NDArray[np.uint8] | None = None) -> Frame:
    picture = portrait() if picture is None else picture
    size = picture.shape[1::-1]
    return frame_of(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE))


def face_of(landmarks: NDArray[np.float64], score: float = 0.99) -> Face:
    """A face whose box lies around its landmarks."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    x0, y0, x1, y1 = (float(each) for each in (*(low - (high - low) / 2), *(high + (high - low) / 2)))
    return Face((x0, y0, x1, y1), score, landmarks)


def network_of(
    truth: Callable[[], NDArray[np.float64]], noise: float = 0.0, score: Callable[[], float] = lambda: 0.99
) -> Callable[[Frame, NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Measures the true landmarks with noise of that deviation, pixels."""
    rng = np.random.default_rng(1)

    def measure(frame: Frame, near: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        points = truth()[None] + rng.normal(0, noise, (len(near), 5, 2))
        return points, np.full(len(near), score())

    return measure
