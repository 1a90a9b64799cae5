"""The encoder in plain torch operations, on any device: the reference that the kernels are compared with."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.png.deflate import deflate
from gpen_fast.png.filter import filter_pictures
from gpen_fast.png.idat import frame_chunks


def on_device_by_torch(pixels: Tensor, keep_rgb: bool) -> tuple[Tensor, Tensor]:
    """Encodes pixels as IDAT chunks, in hundreds of small operations and without waiting for the device.

    Args:
        pixels: (B,C,H,W) uint8 or int16, any strides; int16 holds the bits of uint16.
        keep_rgb: Write three channels even where they are equal everywhere.

    Returns:
        (B,M) uint8, each picture's IDAT chunks in a row of its own.
        (B,2) int64, bytes of these chunks and channels written.
    """
    stream, lengths, written = filter_pictures(pixels, keep_rgb)
    framed, sizes = frame_chunks(*deflate(stream, lengths))
    return framed, torch.stack([sizes, written], dim=1)
