"""Resizing of whole pictures without aliasing: by torch on any device, by OpenCV on the host.

Both stay: OpenCV shrinks uint8 on a CPU several times faster than torch, and the detectors' results on the CPU are
measured with its pixels; torch resizes where the pixels are, which on CUDA saves the copy to the host.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import cv2
import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Interpolation = Literal["bilinear", "bicubic"]
_Sample = TypeVar("_Sample", bound=np.uint8 | np.uint16 | np.float32)

# Shrink factor up to which CUDA's antialiased kernel is given the work: its filter's taps must fit into shared memory.
# A larger shrink first averages areas, down to this many pixels for each result pixel and axis.
_MOST_SHRINK: dict[Interpolation, int] = {"bilinear": 8, "bicubic": 16}
_AFTER_AREA = 4


def resize_antialiased(pixels: Tensor, size: tuple[int, int], interpolation: Interpolation) -> Tensor:
    """Resizes (C,H,W) float to (C,*size) float with an antialiasing filter, on any device.

    Args:
        pixels: (C,H,W) float32.
        size: Height and width of the result, pixels. The same size returns `pixels` itself.
        interpolation: The filter's kernel. Bicubic keeps more detail and may overshoot the range of `pixels`.
    """
    if tuple(pixels.shape[1:]) == size:
        return pixels
    batch = pixels[None]
    if pixels.shape[1] > _MOST_SHRINK[interpolation] * size[0]:
        batch = F.interpolate(batch, [_AFTER_AREA * side for side in size], mode="area")
    return F.interpolate(batch, size, mode=interpolation, antialias=True)[0]


def shrink_by_area(array: NDArray[_Sample], size: tuple[int, int]) -> NDArray[_Sample]:
    """Shrinks a picture in host memory: each result pixel is the mean over its area (OpenCV's INTER_AREA).

    Args:
        array: (H,W) or (H,W,C), uint8, uint16 or float32.
        size: Height and width of the result, pixels; neither larger than the picture's.

    Returns:
        (*size) or (*size,C) of the same dtype. OpenCV drops the last axis of (H,W,1).
    """
    return np.asarray(cv2.resize(array, size[::-1], interpolation=cv2.INTER_AREA))
