"""Where everything goes, in one kernel: the blocks' first bits, stored or not, Adler-32, and the sizes of all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.idat import CHUNK
from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.kernels.runs import ADLER

# The zlib stream's two bytes stand before the first block.
_HEADER_BITS = 16
_STORED, _STORED_HEAD = 65535, 5
_FRAME = 12
_LANES = 512


@dataclass(frozen=True, eq=False)
class Layout:
    """starts: (K,) int64, blocks' first bits. facts: (B,5) int64, of a picture: bytes of all its chunks, channels,
    bytes of its zlib stream, whether that stores, Adler-32."""

    starts: Tensor
    facts: Tensor


FRAMED, CHANNELS, SIZE, STORES, CHECK = range(5)


def lay_out(bits: Tensor, sums: Tensor, lengths: Tensor, written: Tensor) -> Layout:
    """bits: (K,) int32, of blocks. sums: (K,2) int64, Adler-32's. lengths, written: (B,) int64, bytes and channels."""
    batch = len(lengths)
    layout = Layout(torch.empty(len(bits), dtype=torch.int64, device=bits.device),
                    torch.empty(batch, 5, dtype=torch.int64, device=bits.device))  # fmt: skip
    figures = (len(bits) // batch, _HEADER_BITS, _STORED, _STORED_HEAD, ADLER, CHUNK, _FRAME, _LANES)
    _lay_out[(batch,)](bits, sums, lengths, written, layout.starts, layout.facts, *figures, **OPTIONS)
    return layout


@triton.jit(do_not_specialize=["blocks"])
def _lay_out(
    bits, sums, lengths, written, starts, facts, blocks,
    HEADER: tl.constexpr, STORED: tl.constexpr, STORED_HEAD: tl.constexpr, ADLER: tl.constexpr, CHUNK: tl.constexpr,
    FRAME: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    picture = tl.program_id(0).to(tl.int64)
    end = tl.full((), HEADER, tl.int64)
    total = tl.full((), 0, tl.int64)
    places = tl.full((), 0, tl.int64)
    for first in range(0, blocks, LANES):
        lane = first + tl.arange(0, LANES)
        inside = lane < blocks
        block = picture * blocks + lane
        size = tl.load(bits + block, mask=inside, other=0).to(tl.int64)
        tl.store(starts + block, end + tl.cumsum(size, 0) - size, mask=inside)
        end += tl.sum(size)
        total += tl.sum(tl.load(sums + 2 * block, mask=inside, other=0))
        places += tl.sum(tl.load(sums + 2 * block + 1, mask=inside, other=0))
    length = tl.load(lengths + picture)
    # Each byte counts as often as there are bytes from it on: length - place.
    high = (length + length * (total % ADLER) + ADLER - places % ADLER) % ADLER
    plain = HEADER + 8 * ((length + STORED - 1) // STORED * STORED_HEAD + length)
    stores = plain <= end
    size = (tl.minimum(plain, end) + 7) // 8 + 4
    mine = facts + 5 * picture
    tl.store(mine, size + (size + CHUNK - 1) // CHUNK * FRAME)
    tl.store(mine + 1, tl.load(written + picture))
    tl.store(mine + 2, size)
    tl.store(mine + 3, stores.to(tl.int64))
    tl.store(mine + 4, (high << 16) + (1 + total) % ADLER)
