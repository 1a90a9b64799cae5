"""A picture's luma, at its own size or smaller: all that the networks and cascades of this folder look at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.colour import to_8bit
from gpen_fast.image.resize import shrink_by_area
from gpen_fast.types import Frame

GreyPixels = NDArray[np.uint8]


def luma_of(frame: Frame) -> GreyPixels:
    """(H,W) uint8 luma of a frame of any depth, grey or RGB."""
    pixels = frame.on_host.permute(1, 2, 0).contiguous().numpy()
    pixels = to_8bit(pixels)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.shape[2] == 3 else pixels[:, :, 0]
    return np.asarray(grey, dtype=np.uint8)


def shrunk(grey: GreyPixels, bound: int | None) -> tuple[GreyPixels, float]:
    """Shrinks a picture so that its long side has at most `bound` pixels; also returns the scale, at most 1."""
    scale = 1.0 if bound is None else min(1.0, bound / max(grey.shape))
    if scale == 1.0:
        return grey, scale
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return shrink_by_area(grey, (height, width)), scale
