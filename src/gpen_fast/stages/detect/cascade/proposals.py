"""Where a face may be: every window that a cascade takes for one, in one view of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.stages.detect.cascade.cascades import FRONTAL, PROFILE, Cascades, Grey, shrunk
from gpen_fast.stages.detect.cascade.windows import CORNER, Matrices, windows_of_boxes

# Median landmarks in the cascades' boxes; the profile cascade knows faces that look to the left.
_FRONTAL_POINTS = np.array([[0.304, 0.395], [0.696, 0.395], [0.5, 0.62], [0.316, 0.766], [0.684, 0.766]])
_PROFILE_POINTS = np.array([[0.159, 0.425], [0.506, 0.424], [0.322, 0.619], [0.179, 0.759], [0.493, 0.758]])
_OTHER_PROFILE = (_PROFILE_POINTS * (-1, 1) + (1, 0))[[1, 0, 2, 4, 3]]
# The frontal cascade's own smallest window, and coarse steps: at finer ones it sees the same faces more often.
SMALLEST, _STEP = 20, 1.25
# The profile cascade is slower and rarely alone in seeing a face: it looks at fewer pixels.
_PROFILE = 0.4
_ALIKE = 0.2
_GREY = 117


@dataclass(frozen=True)
class View:
    """What the cascades are shown. matrix: (2,3), from the picture's pixels to those of `grey`."""

    grey: Grey
    matrix: NDArray[np.float64]


def shrunk_view(grey: Grey, long_side: int) -> View:
    """The picture with its long side bounded."""
    small, _ = shrunk(grey, long_side)
    scale = np.array(small.shape[::-1]) / grey.shape[::-1]
    return View(small, np.concatenate([np.diag(scale), ((scale - 1) * CORNER)[:, None]], axis=1))


def turned_view(view: View, degrees: float, border: float) -> View:
    """A view turned about its middle within a grey border, a share of each side."""
    height, width = view.grey.shape
    size = (round(width * (1 + 2 * border)), round(height * (1 + 2 * border)))
    turn = np.asarray(
        cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0), dtype=np.float64
    )
    turn[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
    turned: Any = cv2.warpAffine(
        view.grey, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(_GREY,)
    )
    return View(turned, turn[:, :2] @ view.matrix + np.pad(turn[:, 2:], ((0, 0), (2, 0))))


def proposed(cascades: Cascades, view: View) -> Matrices:
    """(B,2,3): windows of the picture in which a cascade sees a face, each group of alike ones as one."""
    small = shrunk_view(view.grey, round(max(view.grey.shape) * _PROFILE))
    windows = [
        _windows(cascades, FRONTAL, view.grey, _FRONTAL_POINTS),
        _under(_windows(cascades, PROFILE, small.grey, _PROFILE_POINTS), small.matrix),
        _under(_windows(cascades, PROFILE, small.grey, _OTHER_PROFILE, mirrored=True), small.matrix),
    ]
    return _under(np.concatenate(windows), view.matrix)


def _windows(
    cascades: Cascades, file: str, grey: Grey, points: NDArray[np.float64], *, mirrored: bool = False
) -> Matrices:
    boxes = cascades.find(file, grey, neighbours=0, step=_STEP, smallest=SMALLEST, mirrored=mirrored)
    return windows_of_boxes(_grouped(boxes), points)


def _grouped(boxes: NDArray[np.int32]) -> NDArray[Any]:
    """(N,4) boxes x, y, width, height: one for each group of alike ones, however few."""
    # OpenCV drops boxes that stand alone: given twice, none does.
    grouped, _ = cv2.groupRectangles([*boxes.tolist(), *boxes.tolist()], 1, _ALIKE)
    return np.reshape(np.asarray(grouped, dtype=np.float64), (-1, 4))


def _under(windows: Matrices, matrix: NDArray[np.float64]) -> Matrices:
    """(B,2,3) windows of what a (2,3) matrix makes of a picture, as windows of the picture."""
    turn = windows[:, :, :2]
    return np.concatenate([turn @ matrix[:, :2], turn @ matrix[:, 2:] + windows[:, :, 2:]], axis=2)
