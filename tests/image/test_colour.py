"""Depths and scales: what is converted comes back, and 16 bits round to the nearest of 8."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpen_fast.image.colour import from_network, luma, to_8bit, to_8bit_scale, to_network


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_network_scale_and_back(dtype: torch.dtype) -> None:
    top = torch.iinfo(dtype).max
    values = torch.tensor([0, 1, top // 2, top - 1, top], dtype=torch.int32).to(dtype).reshape(1, 1, 5)
    scaled = to_network(values)
    assert scaled.min() == -1
    assert scaled.max() == 1
    assert from_network(scaled, dtype).int().equal(values.int())
    assert from_network(torch.tensor([-7.0, 7.0]), dtype).tolist() == [0, top]


def test_luma_keeps_grey_and_depth() -> None:
    grey = torch.full((3, 2, 2), 77, dtype=torch.uint8)
    assert luma(grey).tolist() == [[[77, 77], [77, 77]]]
    assert luma(torch.zeros(3, 2, 2, dtype=torch.uint16)).dtype == torch.uint16


@pytest.mark.parametrize("shape", [(256, 256), (256, 256, 1), (128, 256, 2), (64, 256, 4)], ids=str)
def test_every_sixteen_bit_sample_rounds_to_the_nearest_level(shape: tuple[int, ...]) -> None:
    samples = np.arange(65536, dtype=np.uint16).reshape(shape)
    rounded = to_8bit(samples)
    assert rounded.shape == shape
    assert rounded.dtype == np.uint8
    assert np.array_equal(rounded, np.rint(samples / 257).astype(np.uint8))


def test_eight_bits_stay_and_every_level_comes_back() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(to_8bit(levels), levels)
    assert np.array_equal(to_8bit(levels.astype(np.uint16) * 257), levels)


def test_scale_of_eight_bits_keeps_what_rounding_would_lose() -> None:
    deep = torch.tensor([0, 128, 257, 65535], dtype=torch.int32).to(torch.uint16)
    assert to_8bit_scale(deep).tolist() == pytest.approx([0, 128 / 257, 1, 255])
    assert to_8bit_scale(torch.tensor([7], dtype=torch.uint8)).tolist() == [7.0]
