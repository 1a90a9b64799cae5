"""Compresses bytes into a zlib stream (RFC 1950 and 1951) on any device, without waiting for the device."""

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
    """Compresses several streams.

    Each is written as dynamic Huffman blocks of 66048 bytes, or as stored blocks where those are smaller.

    Args:
        stream: (B,N) uint8, zeros after each stream's end.
        lengths: (B,) int64, bytes of each stream.

    Returns:
        (B,M) uint8 zlib streams, and their (B,) int64 lengths in bytes.
    """
    windows = to_windows(stream)  # (B,n,258)
    tokens, counts = tokens_by_blocks(
        windows, lengths
    )  # (K,256,258) tokens; (K,TOKENS) how often each occurs
    code = make_code(counts, _is_last(lengths, windows.shape[1]))
    sizes = code.bits(counts).view(len(lengths), -1)  # (B,K/B) bits of each block
    ends = 8 * len(HEADER) + sizes.cumsum(1)
    bits, plain = ends[:, -1], stored_bits(lengths)
    is_stored = plain <= bits
    # The choice stays on the device: both forms are made, and one is taken for each picture.
    stored = store(stream, lengths)
    body = torch.where(is_stored[:, None], stored, pack(tokens, code, ends - sizes, stored.shape[1]))
    body[:, : len(HEADER)] = stored[:, : len(HEADER)]
    return _checked(body, (torch.where(is_stored, plain, bits) + 7) // 8, adler32(windows, lengths))


def _checked(body: Tensor, end: Tensor, checksum: Tensor) -> tuple[Tensor, Tensor]:
    """Writes Adler-32 behind each stream; returns the streams and their lengths with it."""
    body = torch.nn.functional.pad(body, (0, _ADLER_BYTES))
    return body.scatter_(1, byte_places(end, _ADLER_BYTES), big_endian(checksum)), end + _ADLER_BYTES


def byte_places(start: Tensor, number: int) -> Tensor:
    """(B,number) int64: for each of the (B,) starts, that place and those after it."""
    return start[:, None] + torch.arange(number, device=start.device)


def big_endian(values: Tensor) -> Tensor:
    """Values below 2^32 of any shape as (...,4) uint8, the most significant byte first."""
    return torch.stack([(values >> shift) & 255 for shift in (24, 16, 8, 0)], dim=-1).to(torch.uint8)


def _is_last(lengths: Tensor, windows: int) -> Tensor:
    """(K,) bool: whether a stream ends in the block."""
    block = torch.arange(-(-windows // BLOCK), device=lengths.device)
    return (block == (lengths[:, None] - 1) // (BLOCK * WINDOW)).flatten()
