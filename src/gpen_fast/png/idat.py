"""A zlib stream as IDAT chunks, framed on the device (PNG, third edition, 5.3 and 11.2.3)."""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

from gpen_fast.png.checksums import crc32_raw, registers_after_zeros
from gpen_fast.png.constants import cached_tables
from gpen_fast.png.deflate import big_endian, byte_places

# Data bytes of every IDAT chunk but the last.
CHUNK = 1 << 15
_KIND = b"IDAT"
# Bytes of a chunk before its data, length and kind, and behind it.
_HEAD, _CRC = 8, 4
_ONES = 0xFFFFFFFF
# The CRC register after the chunk's kind, which the checksum covers. The register begins with all ones.
AFTER_KIND = zlib.crc32(_KIND) ^ _ONES


def frame_chunks(data: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Cuts zlib streams into IDAT chunks.

    Args:
        data: (B,N) uint8 streams.
        lengths: (B,) int64, bytes of each stream, at least one.

    Returns:
        (B,M) uint8, the chunks one after the other.
        (B,) int64, their bytes.
    """
    batch = data.shape[0]
    chunks = torch.nn.functional.pad(data, (0, -data.shape[1] % CHUNK)).view(batch, -1, CHUNK)
    number = torch.arange(chunks.shape[1], device=data.device)
    sizes = (lengths[:, None] - number * CHUNK).clamp(0, CHUNK)  # (B,n) data bytes of each chunk
    (kind,) = cached_tables(_kind, data.device)
    checks = big_endian(_finished(crc32_raw(chunks), sizes))
    # (B,n,8+CHUNK+4): every chunk as if it were full; the last one is closed where its data ends.
    framed = torch.cat([big_endian(sizes), kind.expand(*sizes.shape, -1), chunks, checks], dim=2).view(
        batch, -1
    )
    last = (lengths - 1) // CHUNK
    return _close_last(framed, chunks, last, lengths - last * CHUNK)


def _kind() -> tuple[Tensor]:
    """The bytes of IDAT."""
    return (torch.tensor(list(_KIND), dtype=torch.uint8),)


def _close_last(framed: Tensor, chunks: Tensor, last: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Writes the checksum of each picture's last chunk behind its `size` bytes; returns chunks and their bytes."""
    check = big_endian(_finished(crc32_raw(_moved_to_end(chunks, last, size)), size[:, None]))
    at = last * (_HEAD + CHUNK + _CRC) + _HEAD + size
    return framed.scatter_(1, byte_places(at, _CRC), check[:, 0]), at + _CRC


def _moved_to_end(chunks: Tensor, last: Tensor, size: Tensor) -> Tensor:
    """(B,1,CHUNK): the last chunk's data behind zeros, which leave a CRC register of 0 alone."""
    chunk = chunks.gather(1, last[:, None, None].expand(-1, 1, CHUNK))[:, 0]
    place = byte_places(size - CHUNK, CHUNK)
    return chunk.gather(1, place.clamp(min=0)).masked_fill(place < 0, 0)[:, None]


def _finished(raw: Tensor, sizes: Tensor) -> Tensor:
    """CRC-32 of a chunk's kind and data, from the data's own register and its bytes: the register is linear."""
    (start,) = cached_tables(registers_after_zeros, raw.device, AFTER_KIND, CHUNK)
    return raw ^ start[sizes] ^ _ONES
