"""JPEG of a batch, each picture with its own quality, as libjpeg codes and decodes it with halved chroma.

All that loses something is done: conversion to whole numbers of luma and chroma, chroma of half the size, the cosine
transform of blocks of 8x8, rounding to multiples of the quality's table, and the way back with libjpeg's smooth
("fancy") enlargement of the chroma. The cosine transform is exact here and in whole numbers there, so that single
pixels differ by a few levels where a coefficient lies halfway between two multiples.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gpen_fast.training.lite.resample import repeat_borders

# Annex K of the JPEG standard, tables K.1 and K.2.
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
    51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120,
    101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99,
    99, 99, 99, 99, *(99,) * 32,
)  # fmt: skip
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_BACK = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def through_jpeg(pictures: Tensor, qualities: Tensor, sides: Tensor) -> Tensor:
    """Codes and decodes pictures.

    Args:
        pictures: (B,3,M,M) RGB, whole float32 numbers in 0..255; M is a multiple of 16. Where a picture is smaller than
            the canvas, its last row and column are repeated to the end.
        qualities: (B,) int64, 1 to 100; 0 leaves a picture as it is.
        sides: (B,) int64, sides of the pictures in pixels.

    Returns:
        (B,3,M,M), whole float32 numbers in 0..255. Beyond a picture's side, values have no meaning.
    """
    offset = pictures.new_tensor((0.0, 128.0, 128.0)).view(1, 3, 1, 1)
    ycc = (_mixed(pictures, _TO_YCC) + offset).round_()
    known = qualities.clamp_min(1)
    luma = _quantised(ycc[:, :1], quantisation(known, _LUMA))
    chroma = _quantised(_halved(ycc[:, 1:]), quantisation(known, _CHROMA))
    # The decoder enlarges what lies inside the picture; it repeats the last chroma value of that.
    chroma = _doubled(repeat_borders(chroma, (sides + 1) // 2))
    decoded = _mixed(torch.cat([luma, chroma], 1) - offset, _BACK).round_().clamp_(0, 255)
    return torch.where((qualities > 0).view(-1, 1, 1, 1), decoded, pictures)


def quantisation(qualities: Tensor, table: tuple[int, ...]) -> Tensor:
    """Returns libjpeg's steps of the coefficients at given qualities.

    Args:
        qualities: (B,) int64, 1 to 100.
        table: The 64 steps of quality 50, row by row.

    Returns:
        (B,8,8) float32, 1 to 255.
    """
    scale = torch.where(qualities < 50, 5000 // qualities, 200 - 2 * qualities)
    steps = torch.tensor(table, device=qualities.device).view(1, 8, 8)
    return ((steps * scale.view(-1, 1, 1) + 50) // 100).clamp(1, 255).float()


def _mixed(pictures: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """(B,3,M,M): each channel a sum of all three."""
    flat = pictures.flatten(2)
    return torch.matmul(flat.new_tensor(matrix), flat).view_as(pictures)


def _quantised(planes: Tensor, steps: Tensor) -> Tensor:
    """(B,C,M,M) whole numbers in 0..255 to the same, after the rounding of their coefficients to multiples."""
    batch, channels, side, _ = planes.shape
    cosine = _cosine(planes.device)
    # (B,C,M/8,M/8,8,8): one block after another.
    blocks = (planes - 128).view(batch, channels, side // 8, 8, side // 8, 8).transpose(3, 4)
    wide = steps.view(batch, 1, 1, 1, 8, 8)
    coefficients = cosine @ blocks @ cosine.T
    blocks = cosine.T @ ((coefficients / wide).round_() * wide) @ cosine
    return (blocks.transpose(3, 4).reshape(planes.shape) + 128).round_().clamp_(0, 255)


def _cosine(device: torch.device) -> Tensor:
    """(8,8): the orthonormal cosine transform."""
    k, n = torch.arange(8.0, device=device)[:, None], torch.arange(8.0, device=device)
    matrix = torch.cos((2 * n + 1) * k * (math.pi / 16)) / 2
    return torch.cat([matrix[:1] / math.sqrt(2), matrix[1:]])


def _halved(planes: Tensor) -> Tensor:
    """(B,C,M,M) to (B,C,M/2,M/2): means of four, rounded down and up in turns from column to column."""
    sums = planes[..., ::2, ::2] + planes[..., 1::2, ::2] + planes[..., ::2, 1::2] + planes[..., 1::2, 1::2]
    bias = 1.0 + torch.arange(sums.shape[-1], device=planes.device) % 2
    return ((sums + bias) / 4).floor_()


def _doubled(planes: Tensor) -> Tensor:
    """(B,C,M/2,M/2) to (B,C,M,M): three parts of the nearest value and one of the next, in each direction."""
    tall = torch.stack(_thirds(planes, 2), 3).flatten(2, 3)
    even, odd = _thirds(tall, 3)
    return torch.stack([(even + 8) / 16, (odd + 7) / 16], 4).floor_().flatten(3, 4)


def _thirds(planes: Tensor, axis: int) -> list[Tensor]:
    """Four times the values at the even and at the odd places of the enlarged axis."""
    size = planes.shape[axis]
    before = torch.cat([planes.narrow(axis, 0, 1), planes.narrow(axis, 0, size - 1)], axis)
    after = torch.cat([planes.narrow(axis, 1, size - 1), planes.narrow(axis, size - 1, 1)], axis)
    return [3 * planes + before, 3 * planes + after]
