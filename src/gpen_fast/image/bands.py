"""Frequency bands of pictures: a Laplacian pyramid by means of 2x2 pixels and bilinear upscaling.

The bands of a picture add up to it, so a weight for each band needs no division and no rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
        pyramid.append(F.avg_pool2d(pyramid[-1], 2))
    return pyramid


def band_pass(pyramid: Sequence[Tensor]) -> list[Tensor]:
    """The detail that each level of `halved` has beyond the next: one tensor fewer than the levels."""
    return [fine - _upscaled(coarse, fine) for fine, coarse in pairwise(pyramid)]


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
        total = steps[:, level] * pyramid[level] + _upscaled(total, pyramid[level])
    return total


def _upscaled(coarse: Tensor, fine: Tensor) -> Tensor:
    return F.interpolate(coarse, size=fine.shape[2:], mode="bilinear", align_corners=False)
