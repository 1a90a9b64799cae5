"""Crop and its inverse for pictures that are one aligned face each (`--skip-detect`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.colour import luma, to_depth
from gpen_fast.image.resize import resize_antialiased
from gpen_fast.types import FaceBatch, Frame


def crop_whole(frame: Frame, size: int) -> FaceBatch:
    """The whole picture as one crop of (1,3,size,size): resized, and edge-padded to a square where it is none."""
    rows, columns = _inner(frame, size)
    pixels = _resized(frame.pixels.expand(3, -1, -1), (rows.stop - rows.start, columns.stop - columns.start))
    pads = (columns.start, size - columns.stop, rows.start, size - rows.stop)
    return FaceBatch(_pad_edges(pixels, pads)[None], whole_matrix(frame, size)[None])


def uncrop_whole(frame: Frame, restored: Tensor, strength: float) -> Frame:
    """Cuts the restored square back to the picture's shape.

    Args:
        frame: The picture that `crop_whole` was given.
        restored: (3,S,S) in the frame's depth.
        strength: Share of the restoration, 0..1; the rest is the picture itself, resized.

    Returns:
        The picture with a long side of S pixels, metadata and alpha kept.
    """
    size = restored.shape[-1]
    rows, columns = _inner(frame, size)
    face = restored if frame.pixels.shape[0] == 3 else luma(restored)
    face = face[:, rows, columns]
    shape = (face.shape[1], face.shape[2])
    if strength < 1.0:
        before = _resized(frame.pixels, shape).float()
        face = to_depth(before + (face.float() - before) * strength, face.dtype)
    alpha = None if frame.alpha is None else _resized(frame.alpha, shape)
    return replace(frame, pixels=face.contiguous(), alpha=alpha, host=None)


def whole_matrix(frame: Frame, size: int) -> NDArray[np.float64]:
    """The (2,3) picture-to-crop map of `crop_whole`: one scale, the picture centred in the square."""
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
    """Repeats the edge pixels of (C,H,W). pads: pixels left, right, top, bottom."""
    if not any(pads):
        return pixels
    return F.pad(pixels.float()[None], pads, mode="replicate")[0].to(pixels.dtype)


def _resized(pixels: Tensor, shape: tuple[int, int]) -> Tensor:
    """(C,H,W) resized in its own depth; untouched where it has the size already."""
    if tuple(pixels.shape[1:]) == shape:
        return pixels
    # Bicubic overshoots at edges: to_depth clamps what leaves the range.
    return to_depth(resize_antialiased(pixels.float(), shape, "bicubic"), pixels.dtype)
