"""Colour and depth conversions that several stages share."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.types import TOPS

# ITU-R BT.601 luma.
_LUMA = (0.299, 0.587, 0.114)


def luma(pixels: Tensor) -> Tensor:
    """(3,H,W) RGB to (1,H,W) luma of the same dtype."""
    red, green, blue = pixels.float().split(1)
    return to_depth(_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue, pixels.dtype)


def to_depth(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Float values on the scale of `dtype` (uint8: 0..255, uint16: 0..65535), rounded and held in range."""
    return values.round().clamp(0, TOPS[dtype]).to(dtype)


def to_network(crops: Tensor) -> Tensor:
    """uint8 or uint16 of any shape to float32 in [-1,1]."""
    return crops.float() * (2 / TOPS[crops.dtype]) - 1


def from_network(faces: Tensor, dtype: torch.dtype) -> Tensor:
    """Float in [-1,1], values beyond held at the ends, to `dtype`."""
    return to_depth((faces + 1) * (TOPS[dtype] / 2), dtype)
