"""Colour and depth conversions that several stages share."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.types import TOPS

# Weights of red, green and blue in luma (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)
# One step of 8 bits is 257 steps of 16 bits: 65535 / 255.
_STEP = 257


def luma(pixels: Tensor) -> Tensor:
    """Converts (3,H,W) RGB to (1,H,W) luma of the same dtype."""
    red, green, blue = pixels.float().split(1)
    return to_depth(_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue, pixels.dtype)


def brightness(pixels: Tensor) -> Tensor:
    """Luma of (B,3,H,W) float RGB, unrounded: (B,1,H,W)."""
    red, green, blue = pixels.split(1, dim=1)
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


def to_depth(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Rounds float values to whole samples and clamps them to the range of `dtype`.

    Args:
        values: Float of any shape, on the scale of `dtype`: 0..255 for uint8, 0..65535 for uint16.
        dtype: torch.uint8 or torch.uint16.
    """
    return values.round().clamp_(0, TOPS[dtype]).to(dtype)


def to_8bit(array: NDArray[np.uint8 | np.uint16]) -> NDArray[np.uint8]:
    """Rounds uint16 samples to the nearest of the 256 levels of uint8; returns uint8 as it is.

    This is the package's only rule from 16 to 8 bits. Cutting the lower byte off (`>> 8`) would darken a picture by
    half a level on average.

    Args:
        array: (H,W) or (H,W,1|2|3|4).
    """
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    # One vectorised pass. Its float32 product is exact enough: no multiple of 1/257 lies nearer to a half than 1/514.
    return np.asarray(cv2.convertScaleAbs(array, alpha=1 / _STEP), dtype=np.uint8).reshape(array.shape)


def to_8bit_scale(pixels: Tensor) -> Tensor:
    """Converts uint8 or uint16 of any shape to float32 in 0..255, the scale of `to_8bit` without its rounding.

    For networks that take float pixels: rounding would only cost precision there.
    """
    return pixels.float() / _STEP if pixels.dtype == torch.uint16 else pixels.float()


def to_network(crops: Tensor) -> Tensor:
    """Converts uint8 or uint16 of any shape to float32 in [-1,1]."""
    return crops.float() * (2 / TOPS[crops.dtype]) - 1


def from_network(faces: Tensor, dtype: torch.dtype) -> Tensor:
    """Converts float in [-1,1] to `dtype`, uint8 or uint16; clamps values beyond the range."""
    # In place after the first step: a batch of faces exceeds a core's cache, and each new tensor costs a way to memory.
    return (faces + 1).mul_(TOPS[dtype] / 2).round_().clamp_(0, TOPS[dtype]).to(dtype)
