"""`gpen_fast.png.tables.make_code` in one kernel, a program a block: its code, its head, and how many bits it takes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png import tables
from gpen_fast.png.constants import on_device
from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.kernels.huffman import canonical_codes, code_lengths
from gpen_fast.png.runs import BLOCK, TOKENS, WINDOW

# A word is a value of up to 24 bits and, from here on, its width.
WIDTH_AT = 24
# The end of the block stands behind the tokens; rows begin at multiples of 16 bytes.
END_TOKEN, ROW = TOKENS, 520
HEAD = 512
# Tokens that are written together. Before them comes the head, after them the block's end.
PART = 512
PARTS = BLOCK * WINDOW // PART
SECTIONS = 1 + PARTS + 1
_KINDS = triton.next_power_of_2(ROW)
_LONGEST_RUN = 32
# What a symbol that does not occur weighs: more than all of a block, 15 times, or of all lengths, 7 times.
_NEVER, _NEVER_META = 1 << 21, 1 << 13


@dataclass(frozen=True, eq=False)
class Code:
    """How K blocks are written. Where a block holds nothing only `bits` counts: it is 0.

    words: (K,ROW) int32 of tokens; head: (K,HEAD) int32 words; sections: (K,SECTIONS) int32, the bits of the head, of
    parts of the tokens (not known here) and of the end; bits: (K,) int32, of all of them.
    """

    words: Tensor
    head: Tensor
    sections: Tensor
    bits: Tensor


def make_code(counts: Tensor, lengths: Tensor, bits: Tensor) -> Code:
    """The optimal code of each block.

    counts: (K,TOKENS) int32. lengths: (B,) int64, the pictures' bytes. bits: (K,) int32 zeros, to be written.
    """
    blocks = len(counts)
    words, head, sections = (
        torch.empty(blocks, width, dtype=torch.int32, device=counts.device) for width in (ROW, HEAD, SECTIONS)
    )
    code = Code(words, head, sections, bits)
    constants = on_device(_constants, counts.device)
    _make_code[(blocks,)](
        counts, lengths, *constants, code.words, code.head, code.sections, code.bits, blocks // len(lengths),
        BLOCK * WINDOW, TOKENS, ROW, _KINDS, HEAD, SECTIONS, _NEVER, _NEVER_META, tables.BLOCK_HEADER,
        _LONGEST_RUN, len(tables.META_ORDER), tables.SYMBOLS, **OPTIONS,
    )  # fmt: skip
    return code


def _constants() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Int32: a token's symbol, (ROW,), and its extra bits as a word, (ROW,); a symbol's tokens, from and to, (2,512);
    the order of the code lengths' own, (32,)."""
    symbol, extra, widths = (table.int() for table in tables.token_tables())
    after = ROW - TOKENS
    symbols = torch.nn.functional.pad(symbol, (0, after), value=tables.SYMBOLS)
    symbols[END_TOKEN] = tables.END
    words = torch.nn.functional.pad(extra | widths << WIDTH_AT, (0, after))
    spans = torch.zeros(2, HEAD, dtype=torch.int32)
    for of in symbol.unique().tolist():
        if of < tables.SYMBOLS:
            tokens = (symbol == of).nonzero()
            spans[:, of] = torch.tensor([int(tokens.min()), int(tokens.max()) + 1])
    order = torch.tensor(tables.META_ORDER, dtype=torch.int32)
    return symbols, words, spans, torch.nn.functional.pad(order, (0, 32 - len(order)))


@triton.jit(do_not_specialize=["blocks"])
def _make_code(
    counts, lengths, symbols, extras, spans, order, words, head, sections, bits, blocks,
    BYTES: tl.constexpr, TOKENS: tl.constexpr, ROW: tl.constexpr, KINDS: tl.constexpr, HEAD: tl.constexpr,
    SECTIONS: tl.constexpr, NEVER: tl.constexpr, NEVER_META: tl.constexpr, OPENING: tl.constexpr,
    LONGEST_RUN: tl.constexpr, METAS: tl.constexpr, SYMBOLS: tl.constexpr,
):  # fmt: skip
    block = tl.program_id(0).to(tl.int64)
    begin = block % blocks * BYTES
    length = tl.load(lengths + block // blocks)
    if begin < length:
        counts += block * TOKENS
        occurring = _by_symbol(counts, spans, HEAD, LONGEST_RUN, SYMBOLS)
        of_symbol = code_lengths(occurring, NEVER, 15, HEAD, 9)
        code = canonical_codes(of_symbol, 15) + (of_symbol << 24)
        kind = tl.arange(0, KINDS)
        inside = kind < ROW
        symbol = tl.load(symbols + kind, mask=inside, other=SYMBOLS)
        extra = tl.load(extras + kind, mask=inside, other=0)
        # Widths add up, and extra bits stand above the code.
        word = tl.gather(code, symbol, 0)
        word += (extra >> 24 << 24) + ((extra & 0xFFFFFF) << (word >> 24))
        tl.store(words + block * ROW + kind, word, mask=inside)
        many = tl.load(counts + kind, mask=kind < TOKENS, other=0)
        body = tl.sum(many * (word >> 24))
        ending = tl.sum(tl.where(kind == TOKENS, word >> 24, 0))
        opening = OPENING + (begin + BYTES >= length).to(tl.int32)
        said = _head(of_symbol, order, opening, NEVER_META, HEAD, METAS, SYMBOLS)
        tl.store(head + block * HEAD + tl.arange(0, HEAD), said)
        before = tl.sum(said >> 24)
        tl.store(sections + block * SECTIONS, before)
        tl.store(sections + block * SECTIONS + SECTIONS - 1, ending)
        tl.store(bits + block, before + body + ending)


@triton.jit
def _by_symbol(counts, spans, LANES: tl.constexpr, LONGEST_RUN: tl.constexpr, SYMBOLS: tl.constexpr):
    """(LANES,) int32: how often each symbol occurs; a symbol of matches stands for several tokens, the end for one."""
    lane = tl.arange(0, LANES)
    first, after = tl.load(spans + lane), tl.load(spans + LANES + lane)
    occurring = tl.where(lane == 256, 1, 0)
    for step in range(LONGEST_RUN):
        occurring += tl.load(counts + first + step, mask=first + step < after, other=0)
    return occurring


@triton.jit
def _head(
    of_symbol, order, opening,
    NEVER: tl.constexpr, HEAD: tl.constexpr, METAS: tl.constexpr, SYMBOLS: tl.constexpr,
):  # fmt: skip
    """(HEAD,) int32 words: the block's opening, the lengths' own lengths, the lengths of all symbols and distances."""
    lane = tl.arange(0, HEAD)
    few = tl.arange(0, 32)
    # Two distances with a bit each; what lies beyond is counted where no length is.
    length = tl.where(lane < SYMBOLS, of_symbol, tl.where(lane < SYMBOLS + 2, 1, 31))
    occurring = tl.where(few < METAS, tl.histogram(length, 32), 0)
    meta = code_lengths(occurring, NEVER, 7, 32, 5)
    code = canonical_codes(meta, 7) + (meta << 24)
    place = tl.load(order + tl.minimum(tl.maximum(lane - 1, 0), 31))
    own = tl.gather(meta, place, 0) + (3 << 24)
    of = tl.gather(length, tl.maximum(lane - 1 - METAS, 0), 0)
    said = tl.gather(code, of, 0)
    word = tl.where(lane == 0, opening + (17 << 24), tl.where(lane <= METAS, own, said))
    return tl.where(lane < 1 + METAS + SYMBOLS + 2, word, 0)
