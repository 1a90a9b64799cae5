"""Proposals: views of a picture map back to it, and a face is among what the proposer marks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from detectors import example

from gpen_fast.image.similarity import moved
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE
from gpen_fast.stages.detect.cascade.proposals import (
    bordered_view,
    marked_windows,
    proposed,
    quarter_view,
    shrunk_view,
)
from gpen_fast.stages.detect.cascade.proposer_net import read_proposer
from gpen_fast.store.shipped import shipped

GREY = cv2.cvtColor(example("astronaut.png"), cv2.COLOR_RGB2GRAY)
NETWORK = read_proposer(shipped("proposer-lite.safetensors"))
LANDMARKS = np.array([[204, 100], [248, 104], [224, 128], [202, 138], [245, 142.0]])


def spot(at: tuple[int, int]) -> np.ndarray:
    """A picture that is black but for one bright square around `at`."""
    grey = np.zeros((400, 600), np.uint8)
    grey[at[1] - 4 : at[1] + 5, at[0] - 4 : at[0] + 5] = 255
    return grey


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_views_matrix_says_where_each_pixel_went(quarters: int) -> None:
    small = shrunk_view(spot((150, 120)), 300)
    assert small.grey.shape == (200, 300)
    view = quarter_view(small, quarters)
    assert view.grey.shape == ((300, 200) if quarters % 2 else (200, 300)), "nothing is cut off"
    y, x = np.argwhere(view.grey > 200).mean(axis=0)
    assert np.allclose(view.matrix @ (150, 120, 1), (x, y), atol=0.5)


def test_a_border_is_grey_and_moves_the_picture() -> None:
    view = bordered_view(shrunk_view(spot((150, 120)), 300), 0.25)
    assert view.grey.shape == (300, 450)
    assert view.grey[0, 0] == 117
    y, x = np.argwhere(view.grey > 200).mean(axis=0)
    assert np.allclose(view.matrix @ (150, 120, 1), (x, y), atol=0.5)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_the_face_is_proposed_in_the_pictures_own_pixels(quarters: int) -> None:
    """Also where the face is turned and only a turned view holds it upright."""
    grey, landmarks = np.ascontiguousarray(np.rot90(GREY, -quarters)), LANDMARKS
    for _ in range(quarters):
        landmarks = np.stack([511 - landmarks[:, 1], landmarks[:, 0]], axis=1)
    windows = proposed(NETWORK, quarter_view(shrunk_view(grey, 400), quarters))
    assert windows.shape[1:] == (2, 3)
    off = [np.abs(moved(window[None], landmarks[None])[0] / SIDE - TEMPLATE).mean() for window in windows]
    assert min(off) < 0.1


def test_a_plain_picture_has_none() -> None:
    assert proposed(NETWORK, shrunk_view(np.full((90, 120), 90, np.uint8), 120)).shape == (0, 2, 3)


@pytest.mark.parametrize("side", [128, 200, 512])
def test_one_mark_says_where_the_face_is_how_large_and_how_turned(side: int) -> None:
    """The same face at sizes up to two octaves apart, turned by 30 degrees, clockwise."""
    turn = cv2.getRotationMatrix2D((224, 120), -30, 1.0)
    grey = cv2.warpAffine(GREY, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    best = marked_windows(NETWORK, grey)[0] * (1, 512 / side, 512 / side, 512 / side, 512 / side)
    assert np.hypot(*(best[1:3] - (224, 124))) < 45
    assert 95 < np.hypot(*best[3:]) < 200
    assert 10 < np.degrees(np.arctan2(best[4], best[3])) < 55


def test_pictures_smaller_than_a_window_have_none() -> None:
    assert marked_windows(NETWORK, np.zeros((3, 5), np.uint8)).shape == (0, 5)
