"""How a face moves between two frames: a similarity, by the optical flow of its pixels.

Two small windows of the frames are compared, so that the cost does not depend on the frame's size.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.colour import to_8bit
from gpen_fast.image.similarity import Points, inverses, moved, similarities
from gpen_fast.image.warp import warp_area
from gpen_fast.types import Frame
from gpen_fast.video.film_frame import area_around, with_area

Patch8 = NDArray[np.uint8]

# Side of a face's window, pixels.
PATCH_SIDE = 96
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]) * PATCH_SIDE
# Eyes, nose and corners of the mouth of a face in its window, 0..1: from the forehead to below the chin.
_PLACES = np.array([[0.35, 0.37], [0.65, 0.37], [0.5, 0.545], [0.37, 0.683], [0.63, 0.683]])
PATCH_EYES = float(_PLACES[1, 0] - _PLACES[0, 0]) * PATCH_SIDE
"""The usual distance of the eyes in a window, pixels."""
# The face in its window: an ellipse, 0..1.
_MIDDLE, _RADII = (0.5, 0.53), (0.3, 0.36)
# The points whose motion is measured: so many along each axis of the ellipse.
_GRID = 11
# Optical flow by Lucas and Kanade: window in pixels, levels of the pyramid beside the first.
_FLOW_WINDOW, _FLOW_LEVELS = (17, 17), 2
# Deviation, pixels, of the blur before it: noise of single pixels disturbs it most.
_BLUR = 1.0
# A point counts if its way there and back ends within so many pixels of its start.
_RETURN = 0.7
# Of the points, the share that must count and agree with the similarity.
_LEAST_SHARE = 0.3
# Rounds that leave out the points which disagree by more than this many medians and pixels.
_ROUNDS, _MEDIANS, _SLACK = 3, 2.0, 0.1


class Motion(NamedTuple):
    """How a face moved in its window."""

    matrix: NDArray[np.float64]
    """(2,3): maps a place in the earlier patch to its place in the later one."""
    share: float
    """Of the face's points, the share that moved so, 0..1."""


def patch_window(landmarks: Points) -> NDArray[np.float64]:
    """(2,3): maps a frame's coordinates to those of the window around (5,2) landmarks."""
    return similarities(landmarks[None], _PLACES * PATCH_SIDE - 0.5)[0]


def cut_patch(frame: Frame, window: NDArray[np.float64]) -> Patch8:
    """(PATCH_SIDE,PATCH_SIDE,3) RGB: what a window shows of a frame."""
    corners = moved(inverses(window[None]), _CORNERS[None])[0]
    pixels = with_area(frame, area_around(corners)).pixels
    cut = warp_area(pixels, window, (PATCH_SIDE, PATCH_SIDE)).cpu()
    return to_8bit(cut.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy())


@cache
def face_ellipse() -> NDArray[np.bool_]:
    """(PATCH_SIDE,PATCH_SIDE): the face's pixels in its window."""
    places = (np.arange(PATCH_SIDE) + 0.5) / PATCH_SIDE
    across, down = (places[None] - _MIDDLE[0]) / _RADII[0], (places[:, None] - _MIDDLE[1]) / _RADII[1]
    return np.asarray(across**2 + down**2 <= 1)


def motion_between(before: Patch8, after: Patch8) -> Motion | None:
    """The motion of a face from one patch to another; None where it cannot be told."""
    start = _grid()
    end, counts = _followed(_smoothed_grey(before), _smoothed_grey(after), start)
    for _ in range(_ROUNDS):
        if counts.mean() < _LEAST_SHARE:
            return None
        step = similarities(start[counts][None].astype(np.float64), end[counts].astype(np.float64))[0]
        off = np.linalg.norm(start @ step[:, :2].T + step[:, 2] - end, axis=1)
        counts &= off <= _MEDIANS * np.median(off[counts]) + _SLACK
    return Motion(step, float(counts.mean()))


@cache
def _grid() -> NDArray[np.float32]:
    """(N,2): the points in a window."""
    side = np.linspace(-1, 1, _GRID)
    across, down = np.meshgrid(side, side)
    inside = across**2 + down**2 <= 1
    points = np.stack([across[inside], down[inside]], axis=1) * _RADII + _MIDDLE
    return (points * PATCH_SIDE - 0.5).astype(np.float32)


def _followed(
    before: Patch8, after: Patch8, start: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where (N,2) points are in the later patch, and whether each can be trusted."""
    end, there = _flow(before, after, start)
    home, back = _flow(after, before, end)
    return end, there & back & (np.linalg.norm(home - start, axis=1) < _RETURN)


def _flow(
    before: Patch8, after: Patch8, start: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    end, status, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, np.empty_like(start), winSize=_FLOW_WINDOW, maxLevel=_FLOW_LEVELS
    )
    return np.asarray(end, dtype=np.float32), np.asarray(status)[:, 0] > 0


def _smoothed_grey(patch: Patch8) -> Patch8:
    return np.asarray(
        cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY), (0, 0), _BLUR), dtype=np.uint8
    )
