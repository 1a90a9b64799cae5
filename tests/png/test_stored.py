"""Stored blocks are read by zlib and take the bits that were foreseen."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch

from gpen_fast.png.stored import most_bytes, store, stored_bits


@pytest.mark.parametrize("sizes", [[1], [65535], [65536], [65535, 7, 65534], [200_000, 131_070]])
def test_stored_streams_are_read_by_zlib(sizes: list[int]) -> None:
    data = np.random.default_rng(1).integers(0, 256, (len(sizes), max(sizes))).astype(np.uint8)
    bits = stored_bits(torch.tensor(sizes))
    stored = store(torch.from_numpy(data), torch.tensor(sizes))
    for row, found, size, length in zip(data, stored, sizes, (bits // 8).tolist(), strict=True):
        part = row[:size].tobytes()
        assert (
            zlib.decompress(found[:length].numpy().tobytes() + zlib.adler32(part).to_bytes(4, "big")) == part
        )
        assert most_bytes(size) == length + 4
