"""A zlib stream (RFC 1950) of bytes on any device, without waiting for it."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.png.checksums import adler32
from gpen_fast.png.pack import pack
from gpen_fast.png.runs import BLOCK, WINDOW, to_windows, tokens_by_blocks
from gpen_fast.png.stored import HEADER, store, stored_bits
from gpen_fast.png.tables import make_code

_ADLER_BYTES = 4


def deflate(stream: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """(B,M) uint8 zlib streams and their (B,) int64 lengths.

    stream: (B,N) uint8, of which the first `lengths`, (B,) int64, bytes count, zeros after them. Dynamic blocks of
    66048 bytes, or stored blocks where they are smaller.
    """
    windows = to_windows(stream)
    tokens, counts = tokens_by_blocks(windows, lengths)
    code = make_code(counts, _is_last(lengths, windows.shape[1]))
    sizes = code.bits(counts).view(len(lengths), -1)
    ends = 8 * len(HEADER) + sizes.cumsum(1)
    bits, plain = ends[:, -1], stored_bits(lengths)
    is_stored = plain <= bits
    stored = store(stream, lengths)
    body = torch.where(is_stored[:, None], stored, pack(tokens, code, ends - sizes, stored.shape[1]))
    body[:, : len(HEADER)] = stored[:, : len(HEADER)]
    return _checked(body, (torch.where(is_stored, plain, bits) + 7) // 8, adler32(windows, lengths))


def _checked(body: Tensor, end: Tensor, checksum: Tensor) -> tuple[Tensor, Tensor]:
    body = torch.nn.functional.pad(body, (0, _ADLER_BYTES))
    return body.scatter_(1, places(end, _ADLER_BYTES), big_endian(checksum)), end + _ADLER_BYTES


def places(start: Tensor, number: int) -> Tensor:
    """(B,number) int64: `number` places from `start`, (B,), on."""
    return start[:, None] + torch.arange(number, device=start.device)


def big_endian(values: Tensor) -> Tensor:
    """Values of 32 bits as (...,4) bytes, the most significant first."""
    return torch.stack([(values >> shift) & 255 for shift in (24, 16, 8, 0)], dim=-1).to(torch.uint8)


def _is_last(lengths: Tensor, windows: int) -> Tensor:
    """(K,) bool: whether a picture's data ends in the block."""
    block = torch.arange(-(-windows // BLOCK), device=lengths.device)
    return (block == (lengths[:, None] - 1) // (BLOCK * WINDOW)).flatten()
