"""`gpen_fast.png.tables.make_code` in one kernel, one program a block: its codes, its head and the bits it takes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png import tables
from gpen_fast.png.constants import cached_tables
from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.kernels.huffman import huffman_codes, huffman_lengths
from gpen_fast.png.runs import BLOCK, TOKENS, WINDOW

# A word is a value in its lower 24 bits and, from this bit on, the value's width.
WIDTH_AT = 24
# The word that ends a block stands behind those of the tokens. Rows begin at multiples of 16 bytes.
END_TOKEN, ROW = TOKENS, 520
# Words of a head, of which 1 + 19 + 288 are in use.
HEAD = 512
# Tokens that one program writes. A block's sections are its head, its parts of tokens, and its end.
PART = 512
PARTS = BLOCK * WINDOW // PART
SECTIONS = 1 + PARTS + 1
_KINDS = triton.next_power_of_2(ROW)
# Most tokens that share a symbol: the lengths with 5 extra bits.
_MOST_SHARING = 32
# Weight of a symbol that does not occur: more than 15 times the tokens of a block, and more than 7 times all lengths.
_NEVER, _NEVER_META = 1 << 21, 1 << 13


@dataclass(frozen=True, eq=False)
class CodeBuffers:
    """How K blocks are written. For a block without tokens only `bits` is defined."""

    words: Tensor
    """(K,ROW) int32, the word of each token."""
    head: Tensor
    """(K,HEAD) int32, the words before the tokens; 0, without width, where there are no more."""
    sections: Tensor
    """(K,SECTIONS) int32, bits of each section. Those of the parts are not known yet."""
    bits: Tensor
    """(K,) int32, bits of the block; 0 without tokens."""


def launch_code(counts: Tensor, lengths: Tensor, bits: Tensor) -> CodeBuffers:
    """Makes the optimal code of each block.

    Args:
        counts: (K,TOKENS) int32, how often each token occurs in each block.
        lengths: (B,) int64, bytes of each picture's stream.
        bits: (K,) int32 zeros, which become `CodeBuffers.bits`.
    """
    blocks = len(counts)
    words, head, sections = (
        torch.empty(blocks, width, dtype=torch.int32, device=counts.device) for width in (ROW, HEAD, SECTIONS)
    )
    code = CodeBuffers(words, head, sections, bits)
    constants = cached_tables(_constants, counts.device)
    _make_code[(blocks,)](
        counts, lengths, *constants, code.words, code.head, code.sections, code.bits, blocks // len(lengths),
        BLOCK * WINDOW, TOKENS, ROW, _KINDS, HEAD, SECTIONS, _NEVER, _NEVER_META, tables.BLOCK_HEADER,
        _MOST_SHARING, len(tables.META_ORDER), tables.SYMBOLS, **OPTIONS,
    )  # fmt: skip
    return code


def _constants() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tables for the kernel, int32.

    (ROW,): each token's symbol. (ROW,): its extra bits as a word. (2,HEAD): for each symbol its first token and the
    one behind its last. (32,): the order in which a block states the lengths of the code for its code lengths.
    """
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
    MOST_SHARING: tl.constexpr, METAS: tl.constexpr, SYMBOLS: tl.constexpr,
):  # fmt: skip
    """One program a block: (TOKENS,) counts to its words, head and bits."""
    block = tl.program_id(0).to(tl.int64)
    begin = block % blocks * BYTES
    length = tl.load(lengths + block // blocks)
    if begin < length:
        counts += block * TOKENS
        # (TOKENS,) counts of tokens to (HEAD,) counts of symbols, then to their code lengths and codes with width.
        occurring = _by_symbol(counts, spans, HEAD, MOST_SHARING, SYMBOLS)
        of_symbol = huffman_lengths(occurring, NEVER, 15, HEAD, 9)
        code = huffman_codes(of_symbol, 15) + (of_symbol << 24)
        # (KINDS,) words of tokens: the code of each token's symbol.
        kind = tl.arange(0, KINDS)
        inside = kind < ROW
        symbol = tl.load(symbols + kind, mask=inside, other=SYMBOLS)
        extra = tl.load(extras + kind, mask=inside, other=0)
        word = tl.gather(code, symbol, 0)
        # The extra bits go above the code, and their width is added to the code's.
        word += (extra >> 24 << 24) + ((extra & 0xFFFFFF) << (word >> 24))
        tl.store(words + block * ROW + kind, word, mask=inside)
        # Bits of all tokens, and of the block's end.
        many = tl.load(counts + kind, mask=kind < TOKENS, other=0)
        body = tl.sum(many * (word >> 24))
        ending = tl.sum(tl.where(kind == TOKENS, word >> 24, 0))
        # (HEAD,) words before the tokens, and their bits. The picture's last block says so in its first bit.
        opening = OPENING + (begin + BYTES >= length).to(tl.int32)
        opened = _head(of_symbol, order, opening, NEVER_META, HEAD, METAS, SYMBOLS)
        tl.store(head + block * HEAD + tl.arange(0, HEAD), opened)
        before = tl.sum(opened >> 24)
        tl.store(sections + block * SECTIONS, before)
        tl.store(sections + block * SECTIONS + SECTIONS - 1, ending)
        tl.store(bits + block, before + body + ending)


@triton.jit
def _by_symbol(counts, spans, LANES: tl.constexpr, MOST_SHARING: tl.constexpr, SYMBOLS: tl.constexpr):
    """(LANES,) int32: how often each symbol occurs. Several tokens share a symbol of matches; the end occurs once."""
    lane = tl.arange(0, LANES)
    first, after = tl.load(spans + lane), tl.load(spans + LANES + lane)
    occurring = tl.where(lane == 256, 1, 0)
    for step in range(MOST_SHARING):
        occurring += tl.load(counts + first + step, mask=first + step < after, other=0)
    return occurring


@triton.jit
def _head(
    of_symbol, order, opening,
    NEVER: tl.constexpr, HEAD: tl.constexpr, METAS: tl.constexpr, SYMBOLS: tl.constexpr,
):  # fmt: skip
    """(HEAD,) int32 words: the block's opening, 19 lengths of the lengths' code, the lengths of all symbols' codes."""
    lane = tl.arange(0, HEAD)
    few = tl.arange(0, 32)
    # (HEAD,) lengths: those of the symbols, then of two distances; 31, which is counted nowhere, behind them.
    length = tl.where(lane < SYMBOLS, of_symbol, tl.where(lane < SYMBOLS + 2, 1, 31))
    # (HEAD,) lengths to (32,) counts of each length, their code lengths and their codes with width.
    occurring = tl.where(few < METAS, tl.histogram(length, 32), 0)
    meta = huffman_lengths(occurring, NEVER, 7, 32, 5)
    code = huffman_codes(meta, 7) + (meta << 24)
    # (HEAD,) words: one of 17 bits, METAS of 3 bits in their own order, then the code of each length.
    place = tl.load(order + tl.minimum(tl.maximum(lane - 1, 0), 31))
    own = tl.gather(meta, place, 0) + (3 << 24)
    of = tl.gather(length, tl.maximum(lane - 1 - METAS, 0), 0)
    coded = tl.gather(code, of, 0)
    word = tl.where(lane == 0, opening + (17 << 24), tl.where(lane <= METAS, own, coded))
    return tl.where(lane < 1 + METAS + SYMBOLS + 2, word, 0)
