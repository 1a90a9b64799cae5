"""Where everything goes, in one kernel: the first bit of each block, stored or not, Adler-32, and all sizes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.checksums import ADLER
from gpen_fast.png.idat import CHUNK
from gpen_fast.png.kernels import OPTIONS

# Bits of the zlib header, before the first block.
_HEADER_BITS = 16
# Most data bytes of a stored block, and the bytes before its data.
_STORED, _STORED_HEAD = 65535, 5
# Bytes of a chunk beside its data: length, kind and CRC-32.
_FRAME = 12
# Blocks of a picture that a program takes at once.
_LANES = 512


@dataclass(frozen=True, eq=False)
class Layout:
    """Places and sizes of K blocks of B pictures."""

    starts: Tensor
    """(K,) int64, the bit at which each block begins in its picture's zlib stream."""
    facts: Tensor
    """(B,5) int64, of each picture, in columns FRAMED, CHANNELS, SIZE, STORES and CHECK."""


# Columns of `Layout.facts`: bytes of all IDAT chunks; channels written; bytes of the zlib stream; 1 where that consists
# of stored blocks; Adler-32.
FRAMED, CHANNELS, SIZE, STORES, CHECK = range(5)


def launch_layout(bits: Tensor, sums: Tensor, lengths: Tensor, written: Tensor) -> Layout:
    """Computes places and sizes.

    Args:
        bits: (K,) int32, bits of each block.
        sums: (K,2) int64, of each block the sum of its bytes, and of its bytes times their places: Adler-32's.
        lengths: (B,) int64, bytes of each picture's stream.
        written: (B,) int64, channels in it.
    """
    batch = len(lengths)
    layout = Layout(torch.empty(len(bits), dtype=torch.int64, device=bits.device),
                    torch.empty(batch, 5, dtype=torch.int64, device=bits.device))  # fmt: skip
    constants = (_HEADER_BITS, _STORED, _STORED_HEAD, ADLER, CHUNK, _FRAME, _LANES)
    _lay_out[(batch,)](
        bits, sums, lengths, written, layout.starts, layout.facts, len(bits) // batch, *constants, **OPTIONS
    )
    return layout


@triton.jit(do_not_specialize=["blocks"])
def _lay_out(
    bits, sums, lengths, written, starts, facts, blocks,
    HEADER: tl.constexpr, STORED: tl.constexpr, STORED_HEAD: tl.constexpr, ADLER: tl.constexpr, CHUNK: tl.constexpr,
    FRAME: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """One program a picture: (blocks,) bits and (blocks,2) sums to (blocks,) starts and 5 facts."""
    picture = tl.program_id(0).to(tl.int64)
    end = tl.full((), HEADER, tl.int64)
    total = tl.full((), 0, tl.int64)
    places = tl.full((), 0, tl.int64)
    for first in range(0, blocks, LANES):
        # (LANES,) bits to (LANES,) starts by a prefix sum; their total moves the next group's starts on.
        lane = first + tl.arange(0, LANES)
        inside = lane < blocks
        block = picture * blocks + lane
        size = tl.load(bits + block, mask=inside, other=0).to(tl.int64)
        tl.store(starts + block, end + tl.cumsum(size, 0) - size, mask=inside)
        end += tl.sum(size)
        total += tl.sum(tl.load(sums + 2 * block, mask=inside, other=0))
        places += tl.sum(tl.load(sums + 2 * block + 1, mask=inside, other=0))
    # Adler-32's high half: a byte counts once for each byte from itself to the end, length - place times.
    length = tl.load(lengths + picture)
    high = (length + length * (total % ADLER) + ADLER - places % ADLER) % ADLER
    # Bits of the stream if it is stored; the smaller of both in whole bytes, with the four of Adler-32.
    plain = HEADER + 8 * ((length + STORED - 1) // STORED * STORED_HEAD + length)
    stores = plain <= end
    size = (tl.minimum(plain, end) + 7) // 8 + 4
    mine = facts + 5 * picture
    tl.store(mine, size + (size + CHUNK - 1) // CHUNK * FRAME)
    tl.store(mine + 1, tl.load(written + picture))
    tl.store(mine + 2, size)
    tl.store(mine + 3, stores.to(tl.int64))
    tl.store(mine + 4, (high << 16) + (1 + total) % ADLER)
