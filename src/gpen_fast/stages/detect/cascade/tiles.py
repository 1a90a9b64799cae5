"""Huge pictures in parts: OpenCV's cascades end the process where a side is longer than some 32767 pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Pixels. The side of a part, and by how much neighbours overlap: a face up to that size lies whole in one of them.
_SIDE, _OVERLAP = 16384, 4096


@dataclass(frozen=True)
class Tile:
    """A rectangle of a picture, with the core whose faces it answers for."""

    grey: NDArray[np.uint8]
    """(H,W): the rectangle's pixels, a view."""

    x: int
    """Its first column in the picture."""

    y: int
    """Its first row in the picture."""

    core: tuple[float, float, float, float]
    """x0, y0, x1, y1 in the picture: the cores of all parts share no point and cover the picture."""

    def placed(self, boxes: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Boxes found in the part.

        Args:
            boxes: (N,4) x, y, width, height in the part's pixels.

        Returns:
            The boxes in the picture's pixels, and whether the middle of each lies in the core.
        """
        placed = boxes + np.array([self.x, self.y, 0, 0], dtype=np.int32)
        middles = placed[:, :2] + placed[:, 2:] / 2
        own = (middles >= self.core[:2]).all(axis=1) & (middles < self.core[2:]).all(axis=1)
        return placed, np.asarray(own, dtype=np.bool_)


def tiles_of(grey: NDArray[np.uint8]) -> Iterator[Tile]:
    """The picture itself; a huge one in overlapping parts."""
    height, width = grey.shape
    for top, bottom, core_top, core_bottom in _spans(height):
        for left, right, core_left, core_right in _spans(width):
            core = (core_left, core_top, core_right, core_bottom)
            yield Tile(grey[top:bottom, left:right], left, top, core)


def _spans(length: int) -> Iterator[tuple[int, int, float, float]]:
    """Start and end of each part along one side, and of its core; the outer cores have no outer bound."""
    starts = [0, *range(_SIDE - _OVERLAP, length - _OVERLAP, _SIDE - _OVERLAP)] if length > _SIDE else [0]
    for start in starts:
        first, last = start == 0, start == starts[-1]
        end = length if last else start + _SIDE
        low = -np.inf if first else start + _OVERLAP / 2
        high = np.inf if last else end - _OVERLAP / 2
        yield start, end, low, high
