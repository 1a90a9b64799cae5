"""`gpen_fast.png.pack.pack` in two kernels: one sums the bits of each part, one writes all bits."""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.kernels.code import END_TOKEN, HEAD, PART, PARTS, ROW, SECTIONS, CodeBuffers
from gpen_fast.png.kernels.layout import STORES, Layout
from gpen_fast.png.runs import BLOCK, WINDOW

_MOST_SECTIONS = triton.next_power_of_2(SECTIONS)


def launch_pack(tokens: Tensor, code: CodeBuffers, layout: Layout, lengths: Tensor, words: Tensor) -> None:
    """Writes the blocks of every picture as bits; those of pictures that are stored write none.

    Args:
        tokens: (K,66048) int16.
        code: The codes of the blocks; `sections` is completed.
        layout: Where the blocks begin.
        lengths: (B,) int64, bytes of each picture's stream.
        words: (B,W) int32 zeros, two more for each picture than its bits need; the bits are added.
    """
    blocks = len(tokens) // len(lengths)
    constants = (BLOCK * WINDOW, PART, PARTS, SECTIONS, ROW)
    _sum_widths[(len(tokens) * PARTS,)](
        tokens, lengths, code.words, code.sections, blocks, *constants, **OPTIONS
    )
    _write[(len(tokens) * SECTIONS,)](
        tokens, lengths, code.words, code.head, code.sections, layout.starts, layout.facts[:, STORES], words,
        blocks, words.shape[1], *constants, _MOST_SECTIONS, HEAD, END_TOKEN, **OPTIONS,
    )  # fmt: skip


@triton.jit(do_not_specialize=["blocks"])
def _sum_widths(
    tokens, lengths, words, sections, blocks,
    BYTES: tl.constexpr, PART: tl.constexpr, PARTS: tl.constexpr, SECTIONS: tl.constexpr, ROW: tl.constexpr,
):  # fmt: skip
    """One program a part: (PART,) tokens to the bits that they take, one element of `sections`."""
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
    """One program a section: its (PART,) words to bits of its picture, from the section's first bit on."""
    line = tl.program_id(0).to(tl.int64)
    block = line // SECTIONS
    section = line % SECTIONS
    picture = block // blocks
    length = tl.load(lengths + picture)
    begin = block % blocks * BYTES
    is_stored = tl.load(stores + 5 * picture)
    # The section's first byte. Head and end are written where the block has any byte: they go by its first.
    at = begin + tl.where((section > 0) & (section <= PARTS), (section - 1) * PART, 0)
    if (at < length) & (is_stored == 0):
        # (PART,) words of the head, of a part's tokens, or of the end.
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
        # The section begins behind the bits of all sections before it.
        number = tl.arange(0, MOST_SECTIONS)
        before = tl.load(sections + block * SECTIONS + number, mask=number < section, other=0)
        start = tl.load(starts + block) + tl.sum(before)
        _add_bits(target + picture * room + (start >> 5), word, (start & 31).to(tl.int32))


@triton.jit
def _add_bits(target, word, shift):
    """Adds (PART,) words' bits, one after the other, to 32-bit words of memory, from bit `shift` of the first on.

    Lanes cannot read each other's sums. So the last lane of each target adds the prefix sum of all shifted values up to
    there, and subtracts it from the next target. What remains of each target, modulo 2^32, is its own bits. Sections
    that meet in one target both add to it, so the additions are atomic.
    """
    # (PART,) widths to the bit at which each word begins and ends.
    width = word >> 24
    ends = shift + tl.cumsum(width, 0).to(tl.int32)
    place = ends - width
    # (PART,) values shifted to their place: the part in this target, and that in the next.
    shifted = (word & 0xFFFFFF).to(tl.int64) << (place & 31)
    low, high = shifted & 0xFFFFFFFF, shifted >> 32
    upto = tl.cumsum(low + high, 0) - high
    is_last = (ends >> 5) != (place >> 5)
    mine = target + (place >> 5)
    tl.atomic_add(mine, upto.to(tl.int32), mask=is_last, sem="relaxed")
    tl.atomic_add(mine + 1, (-upto).to(tl.int32), mask=is_last, sem="relaxed")
    # The last target has no last lane of its own: it takes the whole sum.
    final = target + ((shift + tl.sum(width)) >> 5)
    tl.atomic_add(final, tl.sum(low + high).to(tl.int32), sem="relaxed")
