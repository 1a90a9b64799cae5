"""Where a face may be: every window that the proposer marks, in one view of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.image.resize import shrink_by_area
from gpen_fast.stages.detect.cascade.landmark_net import SIDE
from gpen_fast.stages.detect.cascade.luma import GreyPixels, shrunk
from gpen_fast.stages.detect.cascade.proposer_net import (
    LEAST_WINDOW,
    OFFSET_UNIT,
    SIDE_UNIT,
    STRIDE,
    VALUES,
    ProposerNet,
)
from gpen_fast.stages.detect.cascade.windows import CORNER, Matrices

# The grey level of a border: that of the networks' mean colour.
_GREY = 117
# A place is a proposal from this score up: a wrong proposal costs one window of the landmark network.
_LEAST_SCORE = 0.25
# Proposals whose squares share more than this part of their union are one.
_OVERLAP = 0.4


@dataclass(frozen=True)
class View:
    """What the proposer examines: a picture, shrunk, turned or within a border."""

    grey: GreyPixels
    """(H,W)."""

    matrix: NDArray[np.float64]
    """(2,3), from the picture's pixels to those of `grey`."""


def shrunk_view(grey: GreyPixels, long_side: int) -> View:
    """The picture with at most `long_side` pixels along its long side."""
    small, _ = shrunk(grey, long_side)
    scale = np.array(small.shape[::-1]) / grey.shape[::-1]
    return View(small, np.concatenate([np.diag(scale), ((scale - 1) * CORNER)[:, None]], axis=1))


def bordered_view(view: View, border: float) -> View:
    """A view with a grey border around it, as wide as this share of each side."""
    height, width = view.grey.shape
    down, right = round(height * border), round(width * border)
    wider = cv2.copyMakeBorder(view.grey, down, down, right, right, cv2.BORDER_CONSTANT, value=(_GREY,))
    return View(np.asarray(wider, dtype=np.uint8), view.matrix + np.array([[0, 0, right], [0, 0, down]]))


def quarter_view(view: View, quarters: int) -> View:
    """A view turned counter-clockwise by quarters of a full turn."""
    grey, matrix = view.grey, view.matrix
    for _ in range(quarters):
        # x becomes what y was, and y counts from the right edge.
        matrix = np.stack([matrix[1], [0, 0, grey.shape[1] - 1] - matrix[0]])
        grey = np.rot90(grey)
    # A copy: `ascontiguousarray` keeps the negative stride of a side of one pixel, which torch refuses.
    return View(grey.copy(), matrix)


def proposed(network: ProposerNet, view: View) -> Matrices:
    """(B,2,3): windows of the picture that may hold a face, as the view shows it, best first; similar ones are one."""
    return _through(windows_at(marked_windows(network, view.grey)), view.matrix)


def marked_windows(network: ProposerNet, grey: GreyPixels) -> NDArray[np.float64]:
    """(B,5) what the proposer marks in a picture at all its sizes, best first: the score; the middle's x and y, and the
    window's side times the cosine and the sine of its turn, all in pixels of the picture."""
    found, picture = [], grey
    # (B,5,h,w) at each size -> (B,5) of the places that reach the least score.
    while max(picture.shape) >= LEAST_WINDOW:
        with torch.inference_mode():
            values = network(torch.from_numpy(picture)[None, None].float())[0].numpy()
        found.append(_in_pixels(values, np.array(grey.shape[::-1]) / picture.shape[::-1]))
        picture = shrink_by_area(picture, (max(1, picture.shape[0] // 2), max(1, picture.shape[1] // 2)))
    rows = np.concatenate(found) if found else np.zeros((0, VALUES))
    return rows[_distinct(rows)]


def _in_pixels(values: NDArray[np.float32], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (5,h,w) values of one size as (B,5) rows in pixels of the picture, `scale` (2,) times as large."""
    scores = 1 / (1 + np.exp(-values[0].astype(np.float64)))
    down, right = np.nonzero(scores >= _LEAST_SCORE)
    rest = values[1:, down, right].astype(np.float64)
    middles = np.stack(
        [right * STRIDE + rest[0] * OFFSET_UNIT, down * STRIDE + rest[1] * OFFSET_UNIT], axis=1
    )
    sides = rest[2:].T * (SIDE_UNIT * scale.mean())
    return np.concatenate([scores[down, right][:, None], (middles + CORNER) * scale - CORNER, sides], axis=1)


def _distinct(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """The indices of the best of similar rows, best first."""
    sides = np.hypot(rows[:, 3], rows[:, 4])[:, None]
    boxes = np.concatenate([rows[:, 1:3] - sides / 2, sides, sides], axis=1)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), rows[:, 0].tolist(), _LEAST_SCORE, _OVERLAP)
    return np.ravel(kept).astype(np.int64)


def windows_at(rows: NDArray[np.float64]) -> Matrices:
    """(B,2,3): the windows of (B,5) rows as `marked_windows` gives them."""
    c, s = (rows[:, 3:] * SIDE / (rows[:, 3:] ** 2).sum(axis=1, keepdims=True)).T
    turn = np.stack([np.stack([c, s], axis=1), np.stack([-s, c], axis=1)], axis=1)
    return np.concatenate([turn, (SIDE - 1) / 2 - turn @ rows[:, 1:3, None]], axis=2)


def _through(windows: Matrices, matrix: NDArray[np.float64]) -> Matrices:
    """(B,2,3) windows of a view as windows of its picture; `matrix` (2,3) maps the picture to the view."""
    turn = windows[:, :, :2]
    return np.concatenate([turn @ matrix[:, :2], turn @ matrix[:, 2:] + windows[:, :, 2:]], axis=2)
