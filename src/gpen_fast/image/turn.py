"""Pictures and points turned by quarters: pixels move and none is computed anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.types import Face, Frame


def turn_frame(frame: Frame, quarters: int) -> Frame:
    """Turns a picture counter-clockwise.

    Args:
        frame: The picture.
        quarters: Quarters of a full turn, 0 to 3.

    Returns:
        The frame with its pixels, alpha and resolution turned; its metadata is unchanged.
    """
    if not quarters:
        return frame
    dpi = frame.dpi[::-1] if frame.dpi and quarters % 2 else frame.dpi
    return replace(
        frame,
        pixels=_turned(frame.pixels, quarters),
        alpha=None if frame.alpha is None else _turned(frame.alpha, quarters),
        host=None if frame.host is None else _turned(frame.host, quarters),
        dpi=dpi,
    )


def turn_points(points: NDArray[np.float64], quarters: int, width: int, height: int) -> NDArray[np.float64]:
    """Where points of a picture lie after `turn_frame`.

    Args:
        points: (...,2) x, y, pixels.
        quarters: As in `turn_frame`.
        width: Columns of the picture before it is turned.
        height: Rows of the picture before it is turned.
    """
    for _ in range(quarters):
        x, y = points[..., 0], points[..., 1]
        points = np.stack([y, width - 1 - x], axis=-1)
        width, height = height, width
    return points


def turn_face(face: Face, quarters: int, width: int, height: int) -> Face:
    """A face of a picture as it lies after `turn_frame`; the arguments are those of `turn_points`."""
    if not quarters:
        return face
    corners = turn_points(np.array(face.box).reshape(2, 2), quarters, width, height)
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    landmarks = None if face.landmarks is None else turn_points(face.landmarks, quarters, width, height)
    return replace(
        face, box=(x0, y0, x1, y1), landmarks=landmarks, roll=(face.roll - 90 * quarters + 180) % 360 - 180
    )


def _turned(pixels: Tensor, quarters: int) -> Tensor:
    return pixels.rot90(quarters, (1, 2)).contiguous()
