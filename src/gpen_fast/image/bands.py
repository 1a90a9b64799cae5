"""Frequency bands of pictures: a Laplacian pyramid by means of 2x2 pixels and bilinear upscaling.

The bands of a picture add up to it, so a weight for each band needs no division and no rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

# A picture is halved no further than to this side, pixels.
_SMALLEST = 4


def halved(pixels: Tensor, levels: int) -> list[Tensor]:
    """The picture and its means over 2x2, 4x4, ... pixels.

    Args:
        pixels: (B,C,H,W) float32.
        levels: How often it is halved; fewer times where a side would fall below four pixels.

    Returns:
        `levels` + 1 tensors, the finest first. An odd last row or column is left out of the coarser ones.
    """
    pyramid = [pixels]
    while len(pyramid) <= levels and min(pyramid[-1].shape[2:]) >= 2 * _SMALLEST:
        pyramid.append(_halved(pyramid[-1]))
    return pyramid


def band_pass(pyramid: Sequence[Tensor]) -> list[Tensor]:
    """The detail that each level of `halved` has beyond the next: one tensor fewer than the levels."""
    return [fine - upscaled(coarse, _shape(fine)) for fine, coarse in pairwise(pyramid)]


def weighted_bands(pixels: Tensor, weights: Tensor) -> Tensor:
    """Multiplies each frequency band of pictures by a weight.

    Args:
        pixels: (B,C,H,W) float32.
        weights: (B,N) float32: one weight for each band, the finest first; the last is that of the rest, which lies
            below all bands.

    Returns:
        (B,C,H,W) float32; `pixels`, up to rounding, where every weight is 1.
    """
    pyramid = halved(pixels, weights.shape[1] - 1)
    each = weights[:, :, None, None, None]
    # The sum of weighted bands w0 (p0 - up p1) + w1 (p1 - up p2) + ... is w0 p0 + up((w1 - w0) p1 + up(...)).
    steps = torch.cat([each[:, :1], each[:, 1:] - each[:, :-1]], dim=1)
    total = steps[:, len(pyramid) - 1] * pyramid[-1]
    for level in range(len(pyramid) - 2, -1, -1):
        total = upscaled(total, _shape(pyramid[level])).addcmul_(steps[:, level], pyramid[level])
    return total


def _shape(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[2], pixels.shape[3]


def _halved(fine: Tensor) -> Tensor:
    """Means over 2x2 pixels."""
    if fine.device.type != "cpu":
        return F.avg_pool2d(fine, 2)
    height, width = fine.shape[2] // 2, fine.shape[3] // 2
    return _resized(fine[:, :, : 2 * height, : 2 * width], (height, width), cv2.INTER_AREA)


def upscaled(coarse: Tensor, shape: tuple[int, int]) -> Tensor:
    """(B,C,h,w) float32 at the height and width `shape`, bilinear."""
    if coarse.device.type != "cpu":
        return F.interpolate(coarse, size=shape, mode="bilinear", align_corners=False)
    return _resized(coarse, shape, cv2.INTER_LINEAR)


def _resized(pixels: Tensor, shape: tuple[int, int], interpolation: int) -> Tensor:
    """(B,C,H,W) float32 on the CPU resized plane by plane: OpenCV takes a tenth of the time that torch takes."""
    result = pixels.new_empty((*pixels.shape[:2], *shape))
    planes = zip(pixels.flatten(0, 1).numpy(), result.flatten(0, 1).numpy(), strict=True)
    for source, target in planes:
        cv2.resize(source, shape[::-1], dst=target, interpolation=interpolation)
    return result
