"""Checksums agree with zlib's."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch

from gpen_fast.png.checksums import adler32, crc32_raw, registers_after_zeros


@pytest.mark.parametrize("fill", [None, 0, 255])
def test_adler_of_the_bytes_that_count(fill: int | None) -> None:
    data = np.random.default_rng(1).integers(0, 256, (3, 500, 258)).astype(np.uint8)
    if fill is not None:
        data[:] = fill
    lengths = [1, 70_000, 500 * 258]
    for row, length in zip(data, lengths, strict=True):
        row.reshape(-1)[length:] = 0
    found = adler32(torch.from_numpy(data), torch.tensor(lengths))
    wanted = [zlib.adler32(row.tobytes()[:length]) for row, length in zip(data, lengths, strict=True)]
    assert found.tolist() == wanted


@pytest.mark.parametrize("size", [256, 768, 32768])
def test_crc_from_registers(size: int) -> None:
    data = np.random.default_rng(2).integers(0, 256, (2, 3, size)).astype(np.uint8)
    raw = crc32_raw(torch.from_numpy(data))
    (start,) = registers_after_zeros(0xFFFFFFFF, size)
    for i in range(2):
        for j in range(3):
            assert int(raw[i, j] ^ start[size]) ^ 0xFFFFFFFF == zlib.crc32(data[i, j].tobytes())
