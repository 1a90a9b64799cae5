"""Transparent pictures on a colour."""

from __future__ import annotations

from dataclasses import replace

import torch

from gpen_fast.image.colour import to_depth
from gpen_fast.types import TOPS, Frame

# Rows that are computed in float32 at a time: the whole of a large picture would need four times its memory.
_ROWS = 256


def is_transparent(frame: Frame) -> bool:
    """Whether any pixel is not opaque."""
    return frame.alpha is not None and bool((frame.alpha.int() < TOPS[frame.alpha.dtype]).any())


def flattened(frame: Frame, colour: tuple[int, int, int]) -> Frame:
    """Puts a picture on a colour.

    Args:
        frame: A picture with alpha.
        colour: Red, green and blue, 0..255.

    Returns:
        The opaque picture in the same depth. A grey one stays grey on a grey colour, and becomes RGB on another.
    """
    assert frame.alpha is not None
    top = TOPS[frame.pixels.dtype]
    grey = len(set(colour)) == 1
    count = frame.pixels.shape[0] if grey else 3
    ground = torch.tensor(colour[:count], dtype=torch.float32, device=frame.pixels.device)[:, None, None]
    ground = ground * (top // 255)
    pixels = frame.pixels.expand(count, -1, -1).clone(memory_format=torch.contiguous_format)
    for start in range(0, frame.height, _ROWS):
        rows = slice(start, start + _ROWS)
        share = frame.alpha[:, rows].float() / top
        pixels[:, rows] = to_depth(ground + (pixels[:, rows].float() - ground) * share, pixels.dtype)
    return replace(frame, pixels=pixels, alpha=None, channels=frame.channels if grey else 3, host=None)
