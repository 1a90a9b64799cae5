"""`gpen_fast.png.idat.frame_chunks` in two kernels.

One puts the data in place and sums its CRC-32; one writes the length, the kind and the checksum of each chunk.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png import checksums, idat
from gpen_fast.png.constants import cached_tables
from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.kernels.layout import Layout

# A program takes a tile of a chunk: rows of 256 bytes, each a block of the CRC.
_ROWS, _COLUMNS = 8, checksums.BLOCK
_TILES = idat.CHUNK // (_ROWS * _COLUMNS)
# Pictures whose sizes a program sums at once.
_PICTURES = 128


def launch_frame(words: Tensor, stream: Tensor, layout: Layout, registers: Tensor, most: int) -> Tensor:
    """Writes the IDAT chunks of every picture.

    Args:
        words: (B,W) int32, packed bits.
        stream: (B,N) uint8, the filtered bytes, for pictures that are stored.
        layout: Sizes and checksums.
        registers: (B,n) int32 zeros, one for each chunk that a picture may have; become CRC registers.
        most: Bytes of a picture's zlib stream at most.

    Returns:
        (T,) uint8, one picture's chunks right after another's, undefined behind the last.
    """
    batch, chunks = registers.shape
    framed = torch.empty(batch * (most + 12 * chunks), dtype=torch.uint8, device=words.device)
    by_bit, by_row = cached_tables(_columns, words.device)
    (start,) = cached_tables(_starts, words.device)
    _place[(batch * chunks * _TILES,)](
        words.view(torch.uint8), stream, layout.facts, by_bit, by_row, registers, framed,
        4 * words.shape[1], stream.shape[1], chunks, idat.CHUNK, _TILES, _ROWS, _COLUMNS, _PICTURES, **OPTIONS,
    )  # fmt: skip
    _close[(batch * chunks,)](
        layout.facts, registers, start, framed, chunks, idat.CHUNK, _PICTURES, **OPTIONS
    )
    return framed


def _columns() -> tuple[Tensor, Tensor]:
    """Tables of the CRC by bits, int32: 24 KiB stay in a GPU's nearest cache; those by bytes would take 768 KiB.

    (8,256): what each bit of a byte adds to its row's register, by the byte's place.
    (rows,32): what each bit of a row's register adds to the chunk's, by the row's place.
    """
    by_byte, by_row = checksums.place_tables(idat.CHUNK // _COLUMNS)
    bits = 1 << torch.arange(8)
    of_bytes = by_byte.view(_COLUMNS, 256)[:, bits].T
    return _as_signed(of_bytes), _as_signed(by_row.view(-1, 4, 256)[:, :, bits].flatten(1))


def _starts() -> tuple[Tensor]:
    """(CHUNK+1,) int32: what the chunk's kind adds to the CRC behind 0, 1, ... CHUNK bytes of data."""
    (start,) = checksums.registers_after_zeros(idat.AFTER_KIND, idat.CHUNK)
    return (_as_signed(start),)


def _as_signed(values: Tensor) -> Tensor:
    """int64 below 2^32 as int32 of the same bits."""
    return (values - (values >> 31 << 32)).int().contiguous()


@triton.jit
def _first_byte(facts, picture, PICTURES: tl.constexpr):
    """The byte at which a picture's chunks begin: the sum of (picture,) sizes of those before it."""
    found = tl.full((), 0, tl.int64)
    for first in range(0, picture, PICTURES):
        other = first + tl.arange(0, PICTURES)
        found += tl.sum(tl.load(facts + 5 * other, mask=other < picture, other=0))
    return found


@triton.jit(do_not_specialize=["room", "longest", "chunks"])
def _place(
    body, stream, facts, by_bit, by_row, registers, framed, room, longest, chunks,
    CHUNK: tl.constexpr, TILES: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, PICTURES: tl.constexpr,
):  # fmt: skip
    """One program a tile: (ROWS,COLUMNS) bytes to their place in the chunk, and to the chunk's CRC register."""
    tile = tl.program_id(0).to(tl.int64)
    line = tile // TILES
    picture = line // chunks
    chunk = line % chunks
    size = tl.load(facts + 5 * picture + 2)
    # For the CRC the data of a shorter chunk stands at its end: zeros before it leave a register of 0 alone.
    lacking = tl.maximum((chunk + 1) * CHUNK - size, 0)
    row = (tile % TILES * ROWS).to(tl.int32) + tl.arange(0, ROWS)
    if (tile % TILES + 1) * (ROWS * COLUMNS) > lacking:
        column = tl.arange(0, COLUMNS)
        # (ROWS,COLUMNS) places in the chunk's data and in the zlib stream, and the bytes there.
        near = (row[:, None] * COLUMNS + column[None, :]).to(tl.int64) - lacking
        place = chunk * CHUNK + near
        inside = near >= 0
        value = _bytes(
            body + picture * room, stream + picture * longest, facts + 5 * picture, place, size, inside
        )
        # Stored behind the chunk's length and kind.
        target = framed + _first_byte(facts, picture, PICTURES) + chunk * (CHUNK + 12) + 8
        tl.store(target + near, value.to(tl.uint8), mask=inside)
        # (ROWS,COLUMNS) bytes to what each adds to its row's register, bit by bit, then folded to (ROWS,) registers.
        register = tl.zeros((ROWS, COLUMNS), tl.int32)
        for bit in tl.static_range(8):
            adds = tl.load(by_bit + bit * COLUMNS + column)
            register = register ^ (-((value >> bit) & 1) & adds[None, :])
        of_row = tl.xor_sum(register, axis=1)
        # (ROWS,) registers to (ROWS,32) bits and what each adds to the chunk's register, folded to one number. Other
        # tiles add to the same register; exclusive or is the same in any order.
        bits = tl.arange(0, 32)
        adds = tl.load(by_row + row[:, None] * 32 + bits[None, :])
        moved = -((of_row[:, None] >> bits[None, :]) & 1) & adds
        tl.atomic_xor(registers + line, tl.xor_sum(tl.xor_sum(moved, axis=1), axis=0), sem="relaxed")


@triton.jit
def _bytes(body, stream, facts, place, size, inside):
    """(ROWS,COLUMNS) int32: bytes of a zlib stream at `place`: header, blocks, packed or stored, and Adler-32."""
    length = size - 4
    between = inside & (place >= 2) & (place < length)
    if tl.load(facts + 3) == 0:
        value = tl.load(body + place, mask=between, other=0).to(tl.int32)
    else:
        value = _stored(stream, place - 2, length - 2, between)
    # The last four bytes are Adler-32, the most significant first; the first two are the header.
    check = tl.load(facts + 4)
    behind = tl.minimum(tl.maximum(place - length, 0), 3)
    ending = ((check >> (24 - 8 * behind)) & 255).to(tl.int32)
    opening = tl.where(place == 0, 0x78, 0x01)
    value = tl.where(place < 2, opening, tl.where(place < length, value, ending))
    return tl.where(inside, value, 0)


@triton.jit
def _stored(stream, place, length, inside):
    """(ROWS,COLUMNS) int32: bytes of stored blocks at `place`.

    Each block of 65535 bytes follows five of its own: whether it is the last, its length, the length's complement.
    """
    block = place // 65540
    near = place % 65540
    data = tl.load(stream + block * 65535 + near - 5, mask=inside & (near >= 5), other=0).to(tl.int32)
    left = length - block * 65540 - 5
    size = tl.minimum(left, 65535).to(tl.int32)
    # Byte 0 is 1 in the last block; 1 and 2 are the length, 3 and 4 its complement, the lower byte first.
    opening = tl.where((near == 1) | (near == 2), size, size ^ 0xFFFF)
    opening = tl.where((near == 1) | (near == 3), opening, opening >> 8) & 255
    opening = tl.where(near == 0, (left <= 65535).to(tl.int32), opening)
    return tl.where(near >= 5, data, opening)


@triton.jit(do_not_specialize=["chunks"])
def _close(facts, registers, start, framed, chunks, CHUNK: tl.constexpr, PICTURES: tl.constexpr):
    """One program a chunk: its length, kind and checksum to 12 bytes around its data."""
    line = tl.program_id(0).to(tl.int64)
    picture = line // chunks
    chunk = line % chunks
    size = tl.minimum(tl.load(facts + 5 * picture + 2) - chunk * CHUNK, CHUNK)
    if size > 0:
        check = tl.load(registers + line) ^ tl.load(start + size) ^ -1
        lane = tl.arange(0, 16)
        # (16,) lanes, 12 in use: four bytes of the length, of "IDAT" and of the checksum, the most significant first.
        word = tl.where(lane < 4, size.to(tl.int32), tl.where(lane < 8, 0x49444154, check))
        value = (word >> (24 - lane % 4 * 8)) & 255
        target = framed + _first_byte(facts, picture, PICTURES) + chunk * (CHUNK + 12)
        place = tl.where(lane < 8, lane, size + lane)
        tl.store(target + place, value.to(tl.uint8), mask=lane < 12)
