"""`gpen_fast.png.pack.pack` in two kernels: the bits of parts are summed, then all are written."""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.kernels.code import END_TOKEN, HEAD, PART, PARTS, ROW, SECTIONS, Code
from gpen_fast.png.kernels.layout import STORES, Layout
from gpen_fast.png.runs import BLOCK, WINDOW

_MOST_SECTIONS = triton.next_power_of_2(SECTIONS)


def pack(tokens: Tensor, code: Code, layout: Layout, lengths: Tensor, words: Tensor) -> None:
    """Adds each block's bits, from its first on, to the words of its picture; those that are stored take none.

    tokens: (K,66048) int16. lengths: (B,) int64, the pictures' bytes. words: (B,W) int32 zeros, two more than needed.
    """
    blocks = len(tokens) // len(lengths)
    figures = (BLOCK * WINDOW, PART, PARTS, SECTIONS, ROW)
    _sum_widths[(len(tokens) * PARTS,)](
        tokens, lengths, code.words, code.sections, blocks, *figures, **OPTIONS
    )
    _write[(len(tokens) * SECTIONS,)](
        tokens, lengths, code.words, code.head, code.sections, layout.starts, layout.facts[:, STORES], words,
        blocks, words.shape[1], *figures, _MOST_SECTIONS, HEAD, END_TOKEN, **OPTIONS,
    )  # fmt: skip


@triton.jit(do_not_specialize=["blocks"])
def _sum_widths(
    tokens, lengths, words, sections, blocks,
    BYTES: tl.constexpr, PART: tl.constexpr, PARTS: tl.constexpr, SECTIONS: tl.constexpr, ROW: tl.constexpr,
):  # fmt: skip
    part = tl.program_id(0).to(tl.int64)
    block = part // PARTS
    section = part % PARTS
    length = tl.load(lengths + block // blocks)
    lane = tl.arange(0, PART)
    inside = block % blocks * BYTES + section * PART + lane < length
    token = tl.load(tokens + part * PART + lane, mask=inside, other=0).to(tl.int32)
    word = tl.load(words + block * ROW + token, mask=inside, other=0)
    tl.store(sections + block * SECTIONS + 1 + section, tl.sum(word >> 24))


@triton.jit(do_not_specialize=["blocks", "room"])
def _write(
    tokens, lengths, words, head, sections, starts, stores, target, blocks, room,
    BYTES: tl.constexpr, PART: tl.constexpr, PARTS: tl.constexpr, SECTIONS: tl.constexpr, ROW: tl.constexpr,
    MOST_SECTIONS: tl.constexpr, HEAD: tl.constexpr, END_TOKEN: tl.constexpr,
):  # fmt: skip
    line = tl.program_id(0).to(tl.int64)
    block = line // SECTIONS
    section = line % SECTIONS
    picture = block // blocks
    length = tl.load(lengths + picture)
    begin = block % blocks * BYTES
    is_stored = tl.load(stores + 5 * picture)
    # The head and the end go with the block's first byte.
    at = begin + tl.where((section > 0) & (section <= PARTS), (section - 1) * PART, 0)
    if (at < length) & (is_stored == 0):
        lane = tl.arange(0, PART)
        if section == 0:
            word = tl.load(head + block * HEAD + lane)
        elif section <= PARTS:
            inside = at + lane < length
            token = tl.load(tokens + block * BYTES + (section - 1) * PART + lane, mask=inside, other=0).to(
                tl.int32
            )
            word = tl.load(words + block * ROW + token, mask=inside, other=0)
        else:
            word = tl.load(words + block * ROW + END_TOKEN + lane, mask=lane < 1, other=0)
        number = tl.arange(0, MOST_SECTIONS)
        before = tl.load(sections + block * SECTIONS + number, mask=number < section, other=0)
        start = tl.load(starts + block) + tl.sum(before)
        _add_bits(target + picture * room + (start >> 5), word, (start & 31).to(tl.int32))


@triton.jit
def _add_bits(target, word, shift):
    """Adds the words' bits, one after the other, from bit `shift` of the first target on.

    Lanes cannot reach each other's sums. So where a target's last lane is, the sum of all bits up to there is added,
    and taken from the next one again: what is left, modulo 2^32, is the target's own. Neighbours add to the same
    targets at the ends.
    """
    width = word >> 24
    ends = shift + tl.cumsum(width, 0).to(tl.int32)
    place = ends - width
    shifted = (word & 0xFFFFFF).to(tl.int64) << (place & 31)
    low, high = shifted & 0xFFFFFFFF, shifted >> 32
    upto = tl.cumsum(low + high, 0) - high
    is_last = (ends >> 5) != (place >> 5)
    mine = target + (place >> 5)
    tl.atomic_add(mine, upto.to(tl.int32), mask=is_last, sem="relaxed")
    tl.atomic_add(mine + 1, (-upto).to(tl.int32), mask=is_last, sem="relaxed")
    final = target + ((shift + tl.sum(width)) >> 5)
    tl.atomic_add(final, tl.sum(low + high).to(tl.int32), sem="relaxed")
