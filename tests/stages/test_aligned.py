"""A picture that is one aligned face: its crop, the map into it, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import photo

from gpen_fast.stages.aligned import crop_whole, uncrop_whole, whole_matrix
from gpen_fast.types import Frame


def frame(height: int, width: int, dtype: type = np.uint8, channels: int = 3) -> Frame:
    array = photo(height, width, channels, dtype).reshape(height, width, channels)
    return Frame(torch.from_numpy(array).permute(2, 0, 1), channels=channels)


def test_picture_of_the_models_size_is_its_own_crop() -> None:
    given = frame(64, 64)
    batch = crop_whole(given, 64)
    assert torch.equal(batch.pixels[0], given.pixels)
    assert np.array_equal(batch.matrices[0], np.eye(2, 3))
    assert torch.equal(uncrop_whole(given, batch.pixels[0], 1.0).pixels, given.pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("height", "width"), [(90, 60), (50, 128), (3000, 40)])
def test_oblong_pictures_are_padded_by_their_edge_and_cut_back(height: int, width: int, dtype: type) -> None:
    given = frame(height, width, dtype)
    batch = crop_whole(given, 64)
    assert batch.pixels.shape == (1, 3, 64, 64)
    assert batch.pixels.dtype == given.pixels.dtype
    back = uncrop_whole(given, batch.pixels[0], 1.0).pixels
    long = max(height, width)
    assert back.shape[1:] == (max(1, round(height * 64 / long)), max(1, round(width * 64 / long)))
    margin = (64 - back.shape[2]) // 2
    if margin:
        edge = batch.pixels[0, :, :, margin].int()
        assert torch.equal(batch.pixels[0, :, :, 0].int(), edge)


def test_matrix_takes_corners_to_where_the_crop_shows_them() -> None:
    matrix = whole_matrix(frame(50, 100), 64)
    corners = np.array([[-0.5, -0.5], [99.5, 49.5]]) @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(corners, [[-0.5, 15.5], [63.5, 47.5]])


def test_strength_blends_with_the_resized_picture_and_alpha_follows() -> None:
    given = frame(128, 128)
    given = Frame(given.pixels, torch.full((1, 128, 128), 77, dtype=torch.uint8))
    white = torch.full((3, 64, 64), 255, dtype=torch.uint8)
    none, half = uncrop_whole(given, white, 0.0), uncrop_whole(given, white, 0.5)
    assert torch.equal(none.pixels, crop_whole(given, 64).pixels[0])
    assert (half.pixels.float() - (none.pixels.float() + 255) / 2).abs().max() <= 0.5
    assert half.alpha is not None
    assert half.alpha.shape == (1, 64, 64)
    assert set(half.alpha.unique().tolist()) == {77}


def test_grey_pictures_stay_grey() -> None:
    given = frame(64, 64, channels=1)
    batch = crop_whole(given, 64)
    assert batch.pixels.shape == (1, 3, 64, 64)
    assert uncrop_whole(given, batch.pixels[0], 1.0).pixels.shape == (1, 64, 64)
