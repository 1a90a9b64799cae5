"""Frequency bands of a picture add up to it, and a weight removes its band alone."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.image.bands import band_pass, halved, weighted_bands

PICTURES = torch.rand(2, 3, 64, 48) * 255


def test_full_weights_give_the_picture_and_none_give_nothing() -> None:
    assert torch.allclose(weighted_bands(PICTURES, torch.ones(2, 5)), PICTURES, atol=1e-3)
    assert torch.equal(weighted_bands(PICTURES, torch.zeros(2, 5)), torch.zeros_like(PICTURES))


def test_weights_are_those_of_the_bands_of_each_picture() -> None:
    weights = torch.tensor([[0.25, 0.5, 1.0], [1.0, 0.0, 0.75]])
    pyramid = halved(PICTURES, 2)
    fine, middle = band_pass(pyramid)
    up = torch.nn.functional.interpolate
    middle = up(middle, scale_factor=2, mode="bilinear")
    rest = up(up(pyramid[2], scale_factor=2, mode="bilinear"), scale_factor=2, mode="bilinear")
    each = weights[:, :, None, None, None]
    wanted = each[:, 0] * fine + each[:, 1] * middle + each[:, 2] * rest
    assert torch.allclose(weighted_bands(PICTURES, weights), wanted, atol=1e-3)


def test_a_flat_picture_is_all_rest() -> None:
    flat = torch.full((1, 1, 32, 32), 80.0)
    assert torch.allclose(weighted_bands(flat, torch.tensor([[0.0, 0.0, 0.0, 1.0]])), flat)
    assert weighted_bands(flat, torch.tensor([[1.0, 1.0, 1.0, 0.0]])).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(5, 7), (9, 40), (33, 17)])
def test_small_and_odd_pictures_have_fewer_bands(size: tuple[int, int]) -> None:
    picture = torch.rand(1, 3, *size)
    assert len(halved(picture, 6)) == len(band_pass(halved(picture, 6))) + 1
    assert torch.allclose(weighted_bands(picture, torch.ones(1, 7)), picture, atol=1e-5)
