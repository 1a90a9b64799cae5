"""A zlib stream as IDAT chunks, framed on the device (PNG, third edition, 5.3 and 11.2.3)."""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

from gpen_fast.png.checksums import crc32_raw, registers_after_zeros
from gpen_fast.png.constants import on_device
from gpen_fast.png.deflate import big_endian, places

# Data bytes of every chunk but the last.
CHUNK = 1 << 15
_KIND = b"IDAT"
_HEAD, _CRC = 8, 4
_ONES = 0xFFFFFFFF
# The register after the chunk's kind, which is part of what is checked.
AFTER_KIND = zlib.crc32(_KIND) ^ _ONES


def frame_chunks(data: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """(B,M) uint8 holding the chunks one after the other, and their (B,) int64 bytes.

    data: (B,N) uint8, of which the first `lengths`, (B,) int64, bytes count, at least one.
    """
    batch = data.shape[0]
    chunks = torch.nn.functional.pad(data, (0, -data.shape[1] % CHUNK)).view(batch, -1, CHUNK)
    number = torch.arange(chunks.shape[1], device=data.device)
    sizes = (lengths[:, None] - number * CHUNK).clamp(0, CHUNK)
    (kind,) = on_device(_kind, data.device)
    checks = big_endian(_finished(crc32_raw(chunks), sizes))
    framed = torch.cat([big_endian(sizes), kind.expand(*sizes.shape, -1), chunks, checks], dim=2).view(
        batch, -1
    )
    last = (lengths - 1) // CHUNK
    return _close_last(framed, chunks, last, lengths - last * CHUNK)


def _kind() -> tuple[Tensor]:
    return (torch.tensor(list(_KIND), dtype=torch.uint8),)


def _close_last(framed: Tensor, chunks: Tensor, last: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """The checksum of the last chunk, shorter than the others, put where its data ends."""
    check = big_endian(_finished(crc32_raw(_moved_to_end(chunks, last, size)), size[:, None]))
    at = last * (_HEAD + CHUNK + _CRC) + _HEAD + size
    return framed.scatter_(1, places(at, _CRC), check[:, 0]), at + _CRC


def _moved_to_end(chunks: Tensor, last: Tensor, size: Tensor) -> Tensor:
    """(B,1,CHUNK): the last chunk's data after as many zeros as it lacks, which leave its register alone."""
    chunk = chunks.gather(1, last[:, None, None].expand(-1, 1, CHUNK))[:, 0]
    place = places(size - CHUNK, CHUNK)
    return chunk.gather(1, place.clamp(min=0)).masked_fill(place < 0, 0)[:, None]


def _finished(raw: Tensor, sizes: Tensor) -> Tensor:
    """CRC-32 of the kind and `sizes` bytes of data from the data's own register."""
    (start,) = on_device(registers_after_zeros, raw.device, AFTER_KIND, CHUNK)
    return raw ^ start[sizes] ^ _ONES
