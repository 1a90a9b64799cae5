"""Each augmentation changes a face as configured and keeps its shape and type."""

from __future__ import annotations

import numpy as np
import pytest
from portraits import small_faces

from gpen_fast.training.augment import Variety, augment

FACE, OTHER = small_faces(2, size=64)
NONE = Variety(mirror=0, warped=0, light=0, colour=0, grey=0, occlusion=0)


def varied(variety: Variety, seed: int = 1) -> np.ndarray:
    return augment(FACE, OTHER, np.random.default_rng(seed), variety)


def only(**chosen: float) -> Variety:
    return Variety(**{**vars(NONE), **chosen})


def test_zero_probabilities_change_nothing() -> None:
    assert np.array_equal(varied(NONE), FACE)


def test_mirrors() -> None:
    assert np.array_equal(varied(only(mirror=1)), FACE[:, ::-1])


def test_grey_has_equal_channels() -> None:
    grey = varied(only(grey=1))
    assert np.array_equal(grey[..., 0], grey[..., 1])
    assert grey[..., 0].std() > 10


def test_occlusion_covers_some_of_the_face() -> None:
    changed = [(varied(only(occlusion=1), seed) != FACE).any(axis=2).mean() for seed in range(20)]
    assert 0 < np.median(changed) < 0.5


def test_a_warp_moves_the_face_a_little() -> None:
    small_turn = varied(Variety(**{**vars(NONE), "warped": 1, "rotation": 0.5, "scale": 0.0, "shift": 0.0}))
    difference = np.abs(small_turn.astype(int) - FACE)
    assert 0 < difference.mean() < 8


@pytest.mark.parametrize("what", ["warped", "light", "colour"])
def test_each_kind_changes_the_picture_and_keeps_its_type(what: str) -> None:
    out = varied(only(**{what: 1.0}), seed=2)
    assert out.shape == FACE.shape
    assert out.dtype == np.uint8
    assert not np.array_equal(out, FACE)


def test_the_same_numbers_give_the_same_face() -> None:
    assert np.array_equal(varied(Variety(), 5), varied(Variety(), 5))
