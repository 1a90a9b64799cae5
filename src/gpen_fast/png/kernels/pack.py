"""`gpen_fast.png.pack.write_tokens` in two kernels: windows' bits are summed, then written."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.tables import Words


def write_tokens(words: Tensor, tokens: Tensor, table: Words, at: Tensor, base: Tensor, last: int) -> Tensor:
    """Writes (K,n,w) tokens from bit `at`, (K,1,1), on and gives the bits after them: see the torch operations."""
    blocks, number, window = tokens.shape
    kinds = table.widths.shape[1]
    lanes = triton.next_power_of_2(window)
    values, widths = table.values.contiguous(), table.widths.contiguous()
    sums = torch.empty(blocks, number, dtype=torch.int64, device=tokens.device)
    with torch.cuda.device_of(tokens):
        _sum_widths[(blocks * number,)](tokens, widths, sums, number, window, kinds, lanes)
        ends = at.view(-1, 1) + sums.cumsum(1)
        starts = (ends - sums).contiguous()
        _write[(blocks * number,)](
            words, tokens, values, widths, starts, base.contiguous(), last, number, window, kinds, lanes
        )
    return ends[:, -1:, None]


@triton.jit
def _sum_widths(tokens, widths, sums, number, window, kinds, LANES: tl.constexpr):
    line = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, LANES)
    token = tl.load(tokens + line * window + lane, mask=lane < window, other=0)
    width = tl.load(widths + line // number * kinds + token, mask=lane < window, other=0)
    tl.store(sums + line, tl.sum(width))


@triton.jit
def _write(words, tokens, values, widths, starts, base, last, number, window, kinds, LANES: tl.constexpr):
    line = tl.program_id(0).to(tl.int64)
    block = line // number
    lane = tl.arange(0, LANES)
    inside = lane < window
    token = tl.load(tokens + line * window + lane, mask=inside, other=0)
    width = tl.load(widths + block * kinds + token, mask=inside, other=0)
    value = tl.load(values + block * kinds + token, mask=inside, other=0)
    place = tl.load(starts + line) + tl.cumsum(width, 0) - width
    shifted = value << (place & 31)
    word = words + tl.load(base + block) + tl.minimum(place >> 5, last)
    low, high = shifted & 0xFFFFFFFF, shifted >> 32
    # Sums are unions here, since no two values share a bit.
    tl.atomic_add(word, low, mask=low != 0)
    tl.atomic_add(word + 1, high, mask=high != 0)
