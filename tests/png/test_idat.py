"""A zlib stream is cut into chunks of 32 KiB, each with its length, kind and checksum."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
import torch

from gpen_fast.png.idat import CHUNK, frame_chunks


def framed(data: bytes) -> bytes:
    """The chunks of a stream, by zlib's CRC-32."""
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    return b"".join(
        struct.pack(">I", len(part)) + b"IDAT" + part + struct.pack(">I", zlib.crc32(b"IDAT" + part))
        for part in parts
    )


@pytest.mark.parametrize("size", [1, 255, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 700])
def test_chunks_of_every_size(size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8)
    chunks, sizes = frame_chunks(torch.from_numpy(data)[None], torch.tensor([size]))
    assert chunks[0, : int(sizes[0])].numpy().tobytes() == framed(data.tobytes())


def test_streams_of_different_lengths_do_not_touch_each_other() -> None:
    lengths = [5, CHUNK + 9, 2 * CHUNK]
    data = np.random.default_rng(1).integers(0, 256, (3, 2 * CHUNK)).astype(np.uint8)
    chunks, sizes = frame_chunks(torch.from_numpy(data), torch.tensor(lengths))
    for row, found, length, size in zip(data, chunks, lengths, sizes.tolist(), strict=True):
        assert found[:size].numpy().tobytes() == framed(row[:length].tobytes())
