"""Filters as the specification defines them, each row's residuals the cheapest of the five."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpen_fast.png.filter import filter_rows, to_rows


def unfiltered(rows: np.ndarray, step: int) -> np.ndarray:
    """Reconstruction by clause 9.2 of the PNG specification, byte by byte."""
    rows = rows.astype(int)
    height, width = rows.shape[0], rows.shape[1] - 1
    done = np.zeros((height + 1, width + step), int)
    for y in range(height):
        kind = rows[y, 0]
        for x in range(width):
            a, b, c = done[y + 1, x], done[y, x + step], done[y, x]
            nearest = min((a, b, c), key=lambda value: abs(a + b - c - value))
            done[y + 1, x + step] = (rows[y, 1 + x] + (0, a, b, (a + b) // 2, nearest)[kind]) % 256
    return done[1:, step:]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 6, 8])
def test_rows_come_back(step: int) -> None:
    rng = np.random.default_rng(step)
    raw = np.concatenate(
        [
            rng.integers(0, 256, (8, 10 * step)),
            np.cumsum(rng.integers(-3, 4, (20, 10 * step)), axis=0) % 256,
            np.arange(10 * step)[None] * np.arange(1, 9)[:, None] % 256,
        ]
    ).astype(np.uint8)
    filtered = filter_rows(torch.from_numpy(raw)[None], step)[0].numpy()
    assert np.array_equal(unfiltered(filtered, step), raw)
    assert len(set(filtered[:, 0])) >= 3, "one filter for all rows"


def test_each_pattern_gets_the_filter_that_makes_it_vanish() -> None:
    ramp = np.arange(60, dtype=np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, 60).astype(np.uint8)
    flat = np.full(60, 77, np.uint8)
    rows = torch.from_numpy(np.stack([np.zeros(60, np.uint8), noise, noise, flat, 3 * ramp + 7]))
    assert filter_rows(rows[None], 1)[0, :, 0].tolist()[0] == 0
    assert filter_rows(rows[None], 1)[0, 2].tolist() == [2] + [0] * 60
    assert filter_rows(rows[None], 1)[0, 3].tolist() == [1, 77] + [0] * 59
    assert filter_rows(rows[None], 1)[0, 4].tolist() == [1, 7] + [3] * 59


def test_each_row_gets_the_filter_of_fewest_bits() -> None:
    rng = np.random.default_rng(9)
    raw = np.cumsum(rng.integers(-9, 10, (40, 90)) * (rng.random((40, 1)) < 0.6), axis=1).astype(np.uint8)
    chosen = filter_rows(torch.from_numpy(raw)[None], 3)[0, :, 0].tolist()
    left, up, corner = (np.zeros((40, 90), int) for _ in range(3))
    left[:, 3:], up[1:], corner[1:, 3:] = raw[:, :-3], raw[:-1], raw[:-1, :-3]
    near = np.stack([left, up, corner])
    paeth = np.take_along_axis(near, np.abs(near - (left + up - corner)).argmin(0)[None], 0)[0]
    costs = []
    for guess in (0, left, up, (left + up) // 2, paeth):
        signed = (raw.astype(int) - guess + 128) % 256 - 128
        costs.append([sum(1 + abs(int(one)).bit_length() for one in row if one) for row in signed])
    assert chosen == np.argmin(costs, axis=0).tolist()
    assert len(set(chosen)) >= 3


def test_sixteen_bits_are_in_network_order() -> None:
    pixels = torch.tensor([[[0x0102, 0x0304]], [[0x0506, 0x0708]]], dtype=torch.int32).to(torch.int16)
    rows, step = to_rows(pixels[None])
    assert rows.tolist() == [[[1, 2, 5, 6, 3, 4, 7, 8]]]
    assert step == 4
