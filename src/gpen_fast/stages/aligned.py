"""Crop and its undoing for pictures that are one aligned face each (`--skip-detect`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.colour import luma, to_depth
from gpen_fast.types import FaceBatch, Frame

_COARSE = 16


def crop_whole(frame: Frame, size: int) -> FaceBatch:
    """The picture as one (1,3,size,size) crop: antialiased, edge-padded to a square where it is none."""
    rows, columns = _inner(frame, size)
    pixels = _resized(frame.pixels.expand(3, -1, -1), (rows.stop - rows.start, columns.stop - columns.start))
    pads = (columns.start, size - columns.stop, rows.start, size - rows.stop)
    return FaceBatch(_pad_edges(pixels, pads)[None], whole_matrix(frame, size)[None])


def uncrop_whole(frame: Frame, restored: Tensor, strength: float) -> Frame:
    """The restored square cut back to the picture's shape: its long side is the model's size."""
    size = restored.shape[-1]
    rows, columns = _inner(frame, size)
    face = restored if frame.pixels.shape[0] == 3 else luma(restored)
    face = face[:, rows, columns]
    shape = tuple(face.shape[1:])
    if strength < 1.0:
        before = _resized(frame.pixels, shape).float()
        face = to_depth(before + (face.float() - before) * strength, face.dtype)
    alpha = None if frame.alpha is None else _resized(frame.alpha, shape)
    return replace(frame, pixels=face.contiguous(), alpha=alpha, host=None)


def whole_matrix(frame: Frame, size: int) -> NDArray[np.float64]:
    """(2,3) picture-to-crop map: one scale, the picture centred in the square."""
    rows, columns = _inner(frame, size)
    scale = size / max(frame.width, frame.height)
    return np.array([[scale, 0, scale / 2 - 0.5 + columns.start], [0, scale, scale / 2 - 0.5 + rows.start]])


def _inner(frame: Frame, size: int) -> tuple[slice, slice]:
    """Rows and columns of the crop that the picture fills."""
    longest = max(frame.width, frame.height)
    height, width = (max(1, round(length * size / longest)) for length in (frame.height, frame.width))
    y, x = (size - height) // 2, (size - width) // 2
    return slice(y, y + height), slice(x, x + width)


def _pad_edges(pixels: Tensor, pads: tuple[int, int, int, int]) -> Tensor:
    """Repeats the edge pixels; pads: left, right, top, bottom."""
    return F.pad(pixels.float()[None], pads, mode="replicate")[0].to(pixels.dtype)


def _resized(pixels: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Antialiased bicubic resampling of (C,H,W) in its own depth; untouched where it has the size already."""
    if tuple(pixels.shape[1:]) == shape:
        return pixels
    x = pixels.float()[None]
    if pixels.shape[1] > _COARSE * shape[0]:  # CUDA's antialiased kernel has no room for very wide filters
        x = F.interpolate(x, [_COARSE // 4 * side for side in shape], mode="area")
    resized = F.interpolate(x, shape, mode="bicubic", antialias=True)[0]
    return to_depth(resized, pixels.dtype)
