"""Pictures that are in memory already, as Frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gpen_fast.errors import PictureError
from gpen_fast.stages.load.advice import advice_for
from gpen_fast.types import TOPS, Frame

# The search for a colour pixel first looks at every 31st pixel of every 31st row: that settles most colour pictures.
_SPARSE = 31


def from_array(array: object) -> Frame:
    """An array as a Frame in host memory; the array is copied.

    Args:
        array: (H,W) or (H,W,1|2|3|4), uint8 or uint16; grey or RGB, alpha last.

    Raises:
        PictureError: Anything else.
    """
    if not isinstance(array, np.ndarray):
        raise PictureError(
            f"a {type(array).__name__} is not a picture: accepted are a path, a numpy array, a tensor, a PIL image "
            "and a Frame."
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or array.dtype not in (np.uint8, np.uint16):
        raise PictureError(
            f"an array of shape {array.shape}, {array.dtype}: accepted is (H,W) or (H,W,1|3|4), RGB, uint8 or uint16."
            + advice_for(array)
        )
    # Copied: the caller's array may be read-only, or change while the picture waits.
    return from_hwc(torch.from_numpy(np.array(array, order="C")))


def from_tensor(tensor: Tensor) -> Frame:
    """A tensor as a Frame in host memory; the tensor is copied.

    Args:
        tensor: (1|3|4,H,W) uint8 or uint16 on any device; grey, RGB or RGBA.

    Raises:
        PictureError: Anything else.
    """
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3, 4) or tensor.dtype not in TOPS:
        raise PictureError(
            f"a tensor of shape {tuple(tensor.shape)}, {str(tensor.dtype).removeprefix('torch.')}: accepted is "
            "(1|3|4,H,W), RGB, uint8 or uint16." + advice_for(tensor)
        )
    # Copied, as arrays are: the caller may reuse the tensor's memory.
    return from_hwc(tensor.detach().cpu().clone().permute(1, 2, 0))


def copied(frame: Frame) -> Frame:
    """A Frame of the caller's in host memory, laid out as decoders leave pixels; it is copied."""
    colour = from_hwc(frame.pixels.detach().cpu().clone().permute(1, 2, 0))
    alpha = None if frame.alpha is None else _dense(frame.alpha.detach().cpu().clone())
    return replace(frame, pixels=colour.pixels, alpha=alpha, host=None)


def from_hwc(pixels: Tensor) -> Frame:
    """Splits alpha off, and keeps one of three channels that are equal everywhere.

    Args:
        pixels: (H,W,1|2|3|4) uint8 or uint16; grey or RGB, alpha last. The frame may share its memory.
    """
    pixels = pixels.permute(2, 0, 1)
    alpha = pixels[-1:] if pixels.shape[0] in (2, 4) else None
    colour = pixels if alpha is None else pixels[:-1]
    channels = colour.shape[0]
    if channels == 3 and _is_grey(colour):
        colour = colour[:1]
    return Frame(_dense(colour), None if alpha is None else _dense(alpha), channels)


def _dense(pixels: Tensor) -> Tensor:
    """(C,H,W) without gaps in memory, channels interleaved as decoders leave them: one straight copy to a device."""
    return pixels.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def _is_grey(pixels: Tensor) -> bool:
    """Whether the three channels are equal everywhere."""
    for step in (_SPARSE, 1):
        red, green, blue = pixels[:, ::step, ::step]
        if not (torch.equal(red, green) and torch.equal(red, blue)):
            return False
    return True
