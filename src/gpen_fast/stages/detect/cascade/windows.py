"""Windows of a picture through the landmark network: cut, read, cut again where the landmarks were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, inverses, moved, similarities
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE, LandmarkNet

Grey = NDArray[np.uint8]
Matrices = NDArray[np.float64]
Scores = NDArray[np.float64]

# The centre of the first pixel is (0,0), its corner (-0.5,-0.5).
CORNER = 0.5
# So many windows at once: more are no quicker, and memory stays bounded.
_MOST = 64
# The network is surer of itself than it is right. Divided by this, logits give scores that are spread out
# ("On Calibration of Modern Neural Networks", Guo et al., 2017).
_TEMPERATURE = 4.0


@dataclass(frozen=True)
class Pyramid:
    """A (H,W) uint8 picture and its halves, from which windows are cut without aliasing."""

    grey: Grey

    @cached_property
    def levels(self) -> list[Grey]:
        """The picture, half of it, and so on while a window of faces that large fits in."""
        made = [self.grey]
        while min(made[-1].shape) >= 2 * SIDE:
            height, width = made[-1].shape
            made.append(
                np.asarray(cv2.resize(made[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
            )
        return made

    def cut(self, window: NDArray[np.float64]) -> Grey:
        """(64,64): what a (2,3) similarity from the picture to the window's pixels shows; the border is repeated."""
        shrink = 1 / math.hypot(window[0, 0], window[1, 0])
        level = min(max(0, math.floor(math.log2(shrink))), len(self.levels) - 1)
        picture = self.levels[level]
        scale = np.array(self.grey.shape[::-1]) / picture.shape[::-1]
        shift = window[:, :2] @ ((scale - 1) * CORNER) + window[:, 2]
        matrix = np.concatenate([window[:, :2] * scale, shift[:, None]], axis=1)
        return np.asarray(
            cv2.warpAffine(
                picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        )


def windows_of(landmarks: Points) -> Matrices:
    """(B,2,3): the windows in which (B,5,2) landmarks lie in their places."""
    return similarities(landmarks, TEMPLATE * SIDE - CORNER)


def windows_of_boxes(boxes: NDArray[Any], box_points: Points) -> Matrices:
    """(B,2,3): windows around (B,4) boxes x, y, width, height, in which landmarks lie at `box_points`, 0..1."""
    corners, sizes = boxes[:, None, :2].astype(np.float64), boxes[:, None, 2:]
    return windows_of(corners - CORNER + box_points * sizes)


def read(network: LandmarkNet, pyramid: Pyramid, windows: Matrices) -> tuple[Points, Scores]:
    """Landmarks (B,5,2) in the picture's pixels and scores (B,), 0..1, of (B,2,3) windows."""
    points, scores = [np.zeros((0, 5, 2))], [np.zeros(0)]
    for start in range(0, len(windows), _MOST):
        some = windows[start : start + _MOST]
        cut = np.stack([pyramid.cut(window) for window in some])
        with torch.inference_mode():
            seen, logits = network(torch.from_numpy(cut)[:, None].float())
        points.append(moved(inverses(some), seen.double().numpy() * SIDE - CORNER))
        scores.append((logits / _TEMPERATURE).sigmoid().double().numpy())
    return np.concatenate(points), np.concatenate(scores)
