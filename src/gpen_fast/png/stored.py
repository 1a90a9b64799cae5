"""Stored blocks (RFC 1951, 3.2.4), for bytes that do not compress."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.png.constants import cached_tables

# Most data bytes of a stored block, and the bytes before its data: 3 bits of header padded to a byte, the length and
# the length's complement.
_BLOCK, _HEAD = 65535, 5
# The zlib header: deflate with a window of 32 KiB, no dictionary (RFC 1950, 2.2).
HEADER = (0x78, 0x01)


def stored_bits(lengths: Tensor) -> Tensor:
    """Bits of a zlib stream that stores `lengths`, (B,), bytes: header and blocks, without Adler-32."""
    return 8 * (len(HEADER) + _blocks(lengths) * _HEAD + lengths)


def most_bytes(length: int) -> int:
    """Bytes that the zlib stream of `length` bytes takes at most: all of them stored, with Adler-32."""
    return len(HEADER) + -(-length // _BLOCK) * _HEAD + length + 4


def store(stream: Tensor, lengths: Tensor) -> Tensor:
    """Writes streams as stored blocks.

    Args:
        stream: (B,N) uint8.
        lengths: (B,) int64, bytes of each stream.

    Returns:
        (B,M) uint8, the zlib header and the blocks, without Adler-32.
    """
    batch, most = stream.shape
    spare = -most % _BLOCK
    blocks = torch.nn.functional.pad(stream, (0, spare)).view(batch, -1, _BLOCK)
    framed = torch.cat([_heads(blocks.shape[1], lengths), blocks], dim=2).view(batch, -1)
    (header,) = cached_tables(_header, stream.device)
    return torch.cat([header.expand(batch, -1), framed[:, : framed.shape[1] - spare]], dim=1)


def _header() -> tuple[Tensor]:
    return (torch.tensor(HEADER, dtype=torch.uint8),)


def _heads(number: int, lengths: Tensor) -> Tensor:
    """(B,number,5) uint8 heads of blocks: whether it is the last, its length, the length's complement."""
    block = torch.arange(number, device=lengths.device)
    is_last = (block == _blocks(lengths)[:, None] - 1).long()
    size = (lengths[:, None] - block * _BLOCK).clamp(0, _BLOCK)
    fields = [is_last, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255]
    return torch.stack(fields, dim=2).to(torch.uint8)


def _blocks(lengths: Tensor) -> Tensor:
    return (lengths + _BLOCK - 1) // _BLOCK
