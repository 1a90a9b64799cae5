"""The motion of a face from its pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from faces_in_motion import POINTS, moved_by, portrait, shown, similarity

from gpen_fast.types import Frame
from gpen_fast.video.motion import PATCH_SIDE, cut_patch, face_ellipse, motion_between, patch_window


@pytest.mark.parametrize(
    "matrix",
    [similarity(x=5, y=-3), similarity(scale=1.08), similarity(degrees=6), similarity(1.05, -4, 6, 4)],
)
def test_motion_is_found_to_a_fifth_of_a_pixel(matrix: np.ndarray) -> None:
    window = patch_window(POINTS)
    motion = motion_between(cut_patch(shown(similarity()), window), cut_patch(shown(matrix), window))
    assert motion is not None
    assert motion.share > 0.8
    truth = moved_by(window, moved_by(matrix))
    assert np.abs(moved_by(motion.matrix, moved_by(window)) - truth).max() < 0.2


def test_what_covers_part_of_a_face_has_no_part_in_its_motion() -> None:
    window, matrix = patch_window(POINTS), similarity(x=4)
    covered = portrait()
    across = int(POINTS[0, 0])
    covered[:, :across] = np.random.default_rng(0).integers(0, 255, (len(covered), across, 3))
    motion = motion_between(cut_patch(shown(similarity()), window), cut_patch(shown(matrix, covered), window))
    assert motion is not None
    assert motion.share < 0.95
    assert np.abs(moved_by(motion.matrix, moved_by(window)) - moved_by(window, moved_by(matrix))).max() < 0.5


def test_another_picture_has_no_motion() -> None:
    window = patch_window(POINTS)
    noise = np.random.default_rng(0).integers(0, 255, (PATCH_SIDE, PATCH_SIDE, 3)).astype(np.uint8)
    assert motion_between(cut_patch(shown(similarity()), window), noise) is None


def test_the_ellipse_holds_the_landmarks_and_no_corner() -> None:
    inside = face_ellipse()
    for x, y in moved_by(patch_window(POINTS)).round().astype(int):
        assert inside[y, x]
    assert not inside[0].any()
    assert not inside[:, 0].any()


def test_a_patch_of_any_depth_has_three_channels_of_eight_bits() -> None:
    frame = shown(similarity())
    deep = Frame((frame.pixels[:1].to(torch.int32) * 257).to(torch.uint16))
    patch = cut_patch(deep, patch_window(POINTS))
    assert patch.shape == (PATCH_SIDE, PATCH_SIDE, 3)
    grey = cut_patch(Frame(frame.pixels[:1]), patch_window(POINTS))
    assert np.abs(patch.astype(int) - grey).max() <= 1
