"""Shrinking does not alias, by either library and however far."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import photo

from gpen_fast.image.resize import Interpolation, resize_antialiased, shrink_by_area


def stripes(height: int, width: int) -> torch.Tensor:
    picture = torch.zeros(1, height, width)
    picture[:, ::2] = 200
    return picture


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("factor", [3, 8, 9, 16, 17, 40])
def test_stripes_become_their_mean_on_both_sides_of_the_coarse_step(
    interpolation: Interpolation, factor: int
) -> None:
    small = resize_antialiased(stripes(40 * factor, 20 * factor), (40, 20), interpolation)
    assert small.shape == (1, 40, 20)
    # What is left of them after an area of a few rows; unfiltered stripes deviate by 100.
    assert small[:, 3:-3].std() < 20
    assert small.mean() == pytest.approx(100, abs=4)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_coarse_step_moves_nothing(interpolation: Interpolation) -> None:
    """A ramp keeps its values: the first of two steps must not shift the second."""
    ramp = torch.arange(1000.0).view(1, 1000, 1).expand(1, 1000, 400)
    small = resize_antialiased(ramp, (20, 8), interpolation)
    wanted = (torch.arange(20) + 0.5) * 50 - 0.5
    assert (small[0, 2:-2, 4] - wanted[2:-2]).abs().max() < 0.1


def test_same_size_is_the_picture_itself() -> None:
    picture = stripes(6, 8)
    assert resize_antialiased(picture, (6, 8), "bicubic") is picture


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_areas_are_averaged_in_every_depth(dtype: type) -> None:
    array = (photo(60, 80).astype(np.float32) * (257 if dtype is np.uint16 else 1)).astype(dtype)
    small = shrink_by_area(array, (20, 40))
    assert small.dtype == dtype
    means = array.astype(np.float64).reshape(20, 3, 40, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - means).max() <= 0.51
