"""Adler-32 (RFC 1950, 8.2) and CRC-32 (PNG, third edition, annex D), computed in parallel.

Both are serial by definition. Adler-32 is a pair of sums, so that each byte's share is known from its place. CRC-32 is
linear over GF(2), so that the checksum of a chunk is the exclusive or of what each byte adds by its place.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.png.constants import cached_tables

# The greatest prime below 2^16 (RFC 1950, 9).
ADLER = 65521
# The CRC's polynomial, bits reversed (annex D).
_POLYNOMIAL = 0xEDB88320
# Bytes of a block. One table holds what a byte adds to its block by its place there, another what a block adds to its
# chunk: a single table for every place in a chunk of 32 KiB would take 64 MiB.
BLOCK = 256


def adler32(windows: Tensor, lengths: Tensor) -> Tensor:
    """Adler-32 of several streams at once.

    Args:
        windows: (B,n,w) uint8, each stream cut into n windows of w bytes, w at most 4096 so that sums fit into 32
            bits; zeros after the stream's end.
        lengths: (B,) int64, bytes of each stream.

    Returns:
        (B,) int64 checksums.
    """
    _, number, window = windows.shape
    inside = torch.arange(window, device=windows.device, dtype=torch.int32)
    sums = windows.sum(2, dtype=torch.int64)  # (B,n): the bytes of each window
    weighted = (windows.int() * inside).sum(
        2, dtype=torch.int64
    )  # (B,n): bytes times their place in the window
    starts = torch.arange(number, device=windows.device) * window % ADLER
    total = sums.sum(1)
    # The high half sums all prefixes: a byte counts once for each byte from itself to the end, length - place times.
    places = (weighted + starts * sums).sum(1)
    high = (lengths + lengths * (total % ADLER) - places) % ADLER
    return high << 16 | (1 + total) % ADLER


def crc32_raw(chunks: Tensor) -> Tensor:
    """The CRC register after each chunk's bytes, where it held 0 before.

    Zeros before the data leave a register of 0 alone, so a shorter chunk may be padded there.

    Args:
        chunks: (B,n,K) uint8, K a multiple of 256.

    Returns:
        (B,n) int64.
    """
    batch, number, size = chunks.shape
    byte_table, block_table = cached_tables(place_tables, chunks.device, size // BLOCK)
    # (B,n,K/256,256) bytes looked up by place and value, then folded: (B,n,K/256) registers of blocks.
    place = torch.arange(BLOCK, device=chunks.device, dtype=torch.int32) * 256
    blocks = _xor_all(byte_table[chunks.view(batch, number, -1, BLOCK) + place])
    # (B,n,K/256,4) bytes of these registers, looked up by the block's place and their own, then folded: (B,n).
    parts = torch.stack([(blocks >> shift) & 255 for shift in (0, 8, 16, 24)], dim=-1)
    where = torch.arange(parts.shape[2] * 4, device=chunks.device).view(-1, 4) * 256
    return _xor_all(block_table[parts + where].flatten(2))


def _xor_all(values: Tensor) -> Tensor:
    """Exclusive or over the last dimension, by halves: torch has no such reduction."""
    while (length := values.shape[-1]) > 1:
        half = length // 2
        folded = values[..., :half] ^ values[..., half : 2 * half]
        values = torch.cat([folded, values[..., 2 * half :]], dim=-1) if length % 2 else folded
    return values[..., 0]


def registers_after_zeros(start: int, most: int) -> tuple[Tensor]:
    """One (most+1,) int64 table: the CRC register that held `start`, after 0, 1, ... `most` zero bytes."""
    table, register = [int(value) for value in _byte_steps()], start
    found = [register]
    for _ in range(most):
        register = table[register & 255] ^ (register >> 8)
        found.append(register)
    return (torch.tensor(found),)


def place_tables(blocks: int) -> tuple[Tensor, Tensor]:
    """The tables of `crc32_raw` for chunks of that many blocks, flat, int64.

    Returns:
        (256*256,): what a byte adds to its block's register, by its place and value.
        (blocks*4*256,): what a byte of a block's register adds to the chunk's, by the block's place, and the byte's
        place and value.
    """
    places = [_byte_steps()]
    for _ in range(BLOCK - 1):
        places.append(_step(places[-1]))
    # (4,256): each value of each byte of a register, moved on by one block of zeros after another.
    onward = np.arange(256, dtype=np.uint32) << np.arange(0, 32, 8, dtype=np.uint32)[:, None]
    shares, moved = [onward], onward
    for _ in range(BLOCK):
        moved = _step(moved)
    for _ in range(blocks - 1):
        shares.append(_apply(moved, shares[-1]))
    # The last place has no bytes behind it: the tables run from the first place to the last.
    return _tensor(places[::-1]), _tensor(shares[::-1])


def _byte_steps() -> NDArray[np.uint32]:
    """(256,): the register after each byte where it held 0 before; the table of annex D."""
    register = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        register = np.where(register & 1, _POLYNOMIAL ^ (register >> 1), register >> 1).astype(np.uint32)
    return register


def _step(registers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The registers after one more zero byte."""
    return _byte_steps()[registers & 255] ^ (registers >> 8)


def _apply(table: NDArray[np.uint32], registers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Applies a linear map to registers of any shape. table: (4,256), its value for each byte of a register."""
    parts = [table[byte][registers >> np.uint32(8 * byte) & 255] for byte in range(4)]
    return parts[0] ^ parts[1] ^ parts[2] ^ parts[3]


def _tensor(parts: list[NDArray[np.uint32]]) -> Tensor:
    return torch.from_numpy(np.stack(parts).reshape(-1).astype(np.int64))
