"""Where a face may be: every window that a cascade takes for one, in one view of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.stages.detect.cascade.cascades import FRONTAL, PROFILE, Cascades, GreyPixels, shrunk
from gpen_fast.stages.detect.cascade.windows import CORNER, Matrices, windows_of_boxes

# Median landmarks in the cascades' boxes, 0..1 along their sides. The profile cascade's are of faces that look left.
_FRONTAL_POINTS = np.array([[0.304, 0.395], [0.696, 0.395], [0.5, 0.62], [0.316, 0.766], [0.684, 0.766]])
_PROFILE_POINTS = np.array([[0.159, 0.425], [0.506, 0.424], [0.322, 0.619], [0.179, 0.759], [0.493, 0.758]])
_OTHER_PROFILE = (_PROFILE_POINTS * (-1, 1) + (1, 0))[[1, 0, 2, 4, 3]]
# The frontal cascade's own smallest window, pixels.
SMALLEST = 20
# The ratio of successive window sizes: finer steps only detect the same faces more often.
_STEP = 1.25
# The share of the view's long side at which the profile cascade runs: it is slower, and rarely detects a face that the
# frontal one misses.
_PROFILE_SCALE = 0.4
# OpenCV's measure of how much boxes of one group may differ, relative to their sides.
_ALIKE = 0.2
# The grey level of a turned view's border: that of the networks' mean colour.
_GREY = 117


@dataclass(frozen=True)
class View:
    """What the cascades examine: a picture, shrunk or turned."""

    grey: GreyPixels
    """(H,W)."""

    matrix: NDArray[np.float64]
    """(2,3), from the picture's pixels to those of `grey`."""


def shrunk_view(grey: GreyPixels, long_side: int) -> View:
    """The picture with at most `long_side` pixels along its long side."""
    small, _ = shrunk(grey, long_side)
    scale = np.array(small.shape[::-1]) / grey.shape[::-1]
    return View(small, np.concatenate([np.diag(scale), ((scale - 1) * CORNER)[:, None]], axis=1))


def turned_view(view: View, degrees: float, border: float) -> View:
    """A view turned about its middle.

    Args:
        view: The view to turn.
        degrees: Counter-clockwise in the picture.
        border: The grey border around it, as a share of each side.
    """
    height, width = view.grey.shape
    size = (round(width * (1 + 2 * border)), round(height * (1 + 2 * border)))
    turn = np.asarray(
        cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0), dtype=np.float64
    )
    turn[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
    turned = cv2.warpAffine(
        view.grey, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(_GREY,)
    )
    matrix = turn[:, :2] @ view.matrix + np.pad(turn[:, 2:], ((0, 0), (2, 0)))
    return View(np.asarray(turned, dtype=np.uint8), matrix)


def proposed(cascades: Cascades, view: View) -> Matrices:
    """(B,2,3): windows of the picture that a cascade takes for a face in the view; similar ones are one window."""
    small = shrunk_view(view.grey, round(max(view.grey.shape) * _PROFILE_SCALE))
    windows = [
        _windows(cascades, FRONTAL, view.grey, _FRONTAL_POINTS),
        _through(_windows(cascades, PROFILE, small.grey, _PROFILE_POINTS), small.matrix),
        _through(_windows(cascades, PROFILE, small.grey, _OTHER_PROFILE, mirrored=True), small.matrix),
    ]
    return _through(np.concatenate(windows), view.matrix)


def _windows(
    cascades: Cascades, file: str, grey: GreyPixels, points: NDArray[np.float64], *, mirrored: bool = False
) -> Matrices:
    """(B,2,3): the windows that one cascade proposes; its boxes hold the landmarks at `points`."""
    boxes = cascades.find(file, grey, neighbours=0, step=_STEP, smallest=SMALLEST, mirrored=mirrored)
    return windows_of_boxes(_grouped(boxes), points)


def _grouped(boxes: NDArray[np.int32]) -> NDArray[np.float64]:
    """(N,4) boxes x, y, width, height to one for each group of similar ones, single boxes included."""
    # OpenCV drops groups of one box, so every box is given twice.
    grouped, _ = cv2.groupRectangles([*boxes.tolist(), *boxes.tolist()], 1, _ALIKE)
    return np.reshape(np.asarray(grouped, dtype=np.float64), (-1, 4))


def _through(windows: Matrices, matrix: NDArray[np.float64]) -> Matrices:
    """(B,2,3) windows of a view as windows of its picture; `matrix` (2,3) maps the picture to the view."""
    turn = windows[:, :, :2]
    return np.concatenate([turn @ matrix[:, :2], turn @ matrix[:, 2:] + windows[:, :, 2:]], axis=2)
