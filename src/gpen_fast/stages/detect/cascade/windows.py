"""Windows of a picture and the landmark network: cutting them out, and reading landmarks and scores from them.

A window is a (2,3) similarity from the picture's pixels to those of a 64x64 square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.image.resize import shrink_by_area
from gpen_fast.image.similarity import Points, inverses, moved, similarities
from gpen_fast.image.warp import MOST_SIDE, warp
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE, LandmarkNet
from gpen_fast.stages.detect.cascade.luma import GreyPixels

Matrices = NDArray[np.float64]
Scores = NDArray[np.float64]

# The centre of the first pixel is (0,0), its corner (-0.5,-0.5).
CORNER = 0.5
# Windows per network call: more are no faster, and this bounds the memory.
_MOST = 64
# The network is more confident than it is right. Logits divided by this give scores that spread over 0..1
# ("On Calibration of Modern Neural Networks", Guo et al., 2017).
_TEMPERATURE = 4.0


@dataclass(frozen=True)
class Pyramid:
    """A picture at halving sizes, from which windows are cut without aliasing."""

    grey: GreyPixels
    """(H,W), the picture at its own size."""

    @cached_property
    def levels(self) -> list[GreyPixels]:
        """The picture, half of it, and so on, down to the last whose shorter side is at least a window's."""
        made = [self.grey]
        while min(made[-1].shape) >= 2 * SIDE:
            height, width = made[-1].shape
            made.append(shrink_by_area(made[-1], (height // 2, width // 2)))
        return made

    def cut(self, window: NDArray[np.float64]) -> GreyPixels:
        """(64,64): what a window shows; outside the picture its edge pixels are repeated."""
        shrink = 1 / math.hypot(window[0, 0], window[1, 0])
        # The smallest level that still has at least the window's resolution.
        level = min(max(0, math.floor(math.log2(shrink))), len(self.levels) - 1)
        picture = self.levels[level]
        scale = np.array(self.grey.shape[::-1]) / picture.shape[::-1]
        shift = window[:, :2] @ ((scale - 1) * CORNER) + window[:, 2]
        matrix = np.concatenate([window[:, :2] * scale, shift[:, None]], axis=1)
        if max(picture.shape) > MOST_SIDE:
            part = warp(torch.from_numpy(picture)[None], matrix, (SIDE, SIDE))[0].numpy()
            return np.asarray(part, dtype=np.uint8)
        cut = cv2.warpAffine(
            picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(cut, dtype=np.uint8)


def windows_of(landmarks: Points) -> Matrices:
    """(B,2,3): the windows in which (B,5,2) landmarks lie at the template's places."""
    return similarities(landmarks, TEMPLATE * SIDE - CORNER)


def windows_of_boxes(boxes: NDArray[np.number], box_points: Points) -> Matrices:
    """(B,2,3): the windows of faces in (B,4) boxes x, y, width, height.

    Args:
        boxes: Pixels of the picture.
        box_points: (5,2) where the landmarks lie in a box, 0..1 along its sides.
    """
    corners, sizes = boxes[:, None, :2].astype(np.float64), boxes[:, None, 2:]
    return windows_of(corners - CORNER + box_points * sizes)


def read_windows(network: LandmarkNet, pyramid: Pyramid, windows: Matrices) -> tuple[Points, Scores]:
    """Runs the network over windows of a picture.

    Args:
        network: The landmark network.
        pyramid: The picture.
        windows: (B,2,3).

    Returns:
        Landmarks (B,5,2) in the picture's pixels and scores (B,), 0..1.
    """
    points, scores = [np.zeros((0, 5, 2))], [np.zeros(0)]
    for start in range(0, len(windows), _MOST):
        some = windows[start : start + _MOST]
        cut = np.stack([pyramid.cut(window) for window in some])
        with torch.inference_mode():
            seen, logits = network(torch.from_numpy(cut)[:, None].float())
        points.append(moved(inverses(some), seen.double().numpy() * SIDE - CORNER))
        scores.append((logits / _TEMPERATURE).sigmoid().double().numpy())
    return np.concatenate(points), np.concatenate(scores)
