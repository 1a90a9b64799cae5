"""Adler-32 (RFC 1950, 8.2) and CRC-32 (PNG, third edition, annex D) of all parts at once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.png.constants import on_device

_ADLER = 65521
_POLYNOMIAL = 0xEDB88320
_ONES = 0xFFFFFFFF
# A chunk's checksum is made of those of blocks, each byte's share of which is looked up by its place.
BLOCK = 256


def adler32(windows: Tensor, lengths: Tensor) -> Tensor:
    """(B,) int64 checksums of (B,n,w) uint8, zeros after the first `lengths`, (B,) int64, bytes; w at most 4096."""
    _, number, window = windows.shape
    inside = torch.arange(window, device=windows.device, dtype=torch.int32)
    sums = windows.sum(2, dtype=torch.int64)
    weighted = (windows.int() * inside).sum(2, dtype=torch.int64)
    starts = torch.arange(number, device=windows.device) * window % _ADLER
    total = sums.sum(1)
    # Each byte counts as often as there are bytes from it on: length - place.
    places = (weighted + starts * sums).sum(1)
    high = (lengths + lengths * (total % _ADLER) - places) % _ADLER
    return high << 16 | (1 + total) % _ADLER


def crc32_raw(chunks: Tensor) -> Tensor:
    """(B,n) int64 for (B,n,K) uint8 chunks: the register after K bytes where it held 0 before; K a multiple of 256.

    The register is linear over GF(2): those of blocks, moved on by the bytes that follow, add up by exclusive or.
    Zeros before the data change nothing.
    """
    batch, number, size = chunks.shape
    byte_table, block_table = on_device(place_tables, chunks.device, size // BLOCK)
    place = torch.arange(BLOCK, device=chunks.device, dtype=torch.int32) * 256
    blocks = _xor_all(byte_table[chunks.view(batch, number, -1, BLOCK) + place])
    parts = torch.stack([(blocks >> shift) & 255 for shift in (0, 8, 16, 24)], dim=-1)
    where = torch.arange(parts.shape[2] * 4, device=chunks.device).view(-1, 4) * 256
    return _xor_all(block_table[parts + where].flatten(2))


def _xor_all(values: Tensor) -> Tensor:
    """Exclusive or over the last dimension."""
    while (length := values.shape[-1]) > 1:
        half = length // 2
        folded = values[..., :half] ^ values[..., half : 2 * half]
        values = torch.cat([folded, values[..., 2 * half :]], dim=-1) if length % 2 else folded
    return values[..., 0]


def registers_after_zeros(start: int, most: int) -> tuple[Tensor]:
    """One (most+1,) int64: the register that held `start`, after 0, 1, ... `most` zero bytes."""
    table, register = [int(value) for value in _byte_steps()], start
    found = [register]
    for _ in range(most):
        register = table[register & 255] ^ (register >> 8)
        found.append(register)
    return (torch.tensor(found),)


def place_tables(blocks: int) -> tuple[Tensor, Tensor]:
    """What a byte adds to its block by its place, and a block's register, byte by byte, to its chunk by its place."""
    places = [_byte_steps()]
    for _ in range(BLOCK - 1):
        places.append(_step(places[-1]))
    onward = np.arange(256, dtype=np.uint32) << np.arange(0, 32, 8, dtype=np.uint32)[:, None]
    shares, moved = [onward], onward
    for _ in range(BLOCK):
        moved = _step(moved)
    for _ in range(blocks - 1):
        shares.append(_apply(moved, shares[-1]))
    return _tensor(places[::-1]), _tensor(shares[::-1])


def _byte_steps() -> NDArray[np.uint32]:
    """The register after each byte where it held 0: the table of annex D."""
    register = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        register = np.where(register & 1, _POLYNOMIAL ^ (register >> 1), register >> 1).astype(np.uint32)
    return register


def _step(registers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """One zero byte more."""
    return _byte_steps()[registers & 255] ^ (registers >> 8)


def _apply(table: NDArray[np.uint32], registers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A linear map, given for each byte of the register, of many registers."""
    parts = [table[byte][registers >> np.uint32(8 * byte) & 255] for byte in range(4)]
    return parts[0] ^ parts[1] ^ parts[2] ^ parts[3]


def _tensor(parts: list[NDArray[np.uint32]]) -> Tensor:
    return torch.from_numpy(np.stack(parts).reshape(-1).astype(np.int64))
