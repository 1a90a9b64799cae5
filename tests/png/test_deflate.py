"""zlib reads the streams; runs become matches, and what does not compress is stored."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch

from gpen_fast.png import pack as pack_module
from gpen_fast.png import runs as runs_module
from gpen_fast.png.deflate import deflate


def streams(*parts: bytes) -> tuple[torch.Tensor, torch.Tensor]:
    most = max(map(len, parts))
    padded = [np.frombuffer(part.ljust(most, b"\0"), np.uint8) for part in parts]
    return torch.from_numpy(np.stack(padded)), torch.tensor([len(part) for part in parts])


def deflated(*parts: bytes) -> list[bytes]:
    data, lengths = deflate(*streams(*parts))
    return [row[:length].numpy().tobytes() for row, length in zip(data, lengths.tolist(), strict=True)]


def some(size: int, seed: int = 0, symbols: int = 30) -> bytes:
    rng = np.random.default_rng(seed)
    return np.minimum(rng.geometric(0.3, size), symbols).astype(np.uint8).tobytes()


PARTS = [
    b"\0",
    b"\0\0",
    b"abc",
    b"a" * 1000,
    some(257),
    some(66048),
    some(66049),
    some(300_000),
    bytes(200_000),
]


def test_each_alone_and_all_together() -> None:
    for part in PARTS:
        assert zlib.decompress(deflated(part)[0]) == part
    together = deflated(*PARTS)
    assert [zlib.decompress(data) for data in together] == PARTS
    assert together[-1] == deflated(PARTS[-1])[0], "what stands beside a stream changes it"


def test_random_bytes_are_stored() -> None:
    for size in (1, 65535, 65536, 131_070, 200_000):
        part = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8).tobytes()
        (data,) = deflated(part)
        assert zlib.decompress(data) == part
        assert len(data) == 6 + size + 5 * -(-size // 65535)


def test_what_is_looked_at_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    part = some(200_000) + bytes(70_000) + some(1000)
    whole = deflated(part, part[::-1])
    monkeypatch.setattr(runs_module, "_PART", 1)
    monkeypatch.setattr(pack_module, "_PART", 1)
    assert deflated(part, part[::-1]) == whole


def test_every_length_of_match() -> None:
    part = b"".join(bytes([65 + number % 2]) * number for number in range(1, 300))
    assert zlib.decompress(deflated(part + some(5000))[0]) == part + some(5000)
