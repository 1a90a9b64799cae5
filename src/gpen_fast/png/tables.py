"""Dynamic Huffman blocks: the code of each token and the head of each block (RFC 1951, 3.2.5 to 3.2.7)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.png.constants import cached_tables
from gpen_fast.png.huffman import canonical_codes, code_lengths
from gpen_fast.png.runs import LITERALS, NONE, TOKENS

# The symbol that ends a block, the number of symbols for literals and lengths, and the most bits of a code.
END, SYMBOLS, _LIMIT = 256, 286, 15
# The first symbol of a match, and the bytes of the shortest and the longest match.
_FIRST_MATCH, _SHORTEST, _LONGEST = 257, 3, 258
# Lengths of the distances' codes: distance 1, the only one used, and one more, since a code of one symbol is not
# complete.
_DISTANCES = (1, 1)
# The order in which a block states the lengths of the code for its code lengths (3.2.7). 16 to 18 are unused here.
META_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
# The most bits of that code, and the bits in which each of its lengths is stated.
_META_LIMIT, _META_BITS = 7, 3
# The first 17 bits of a block: the bit of the last block, the block's type, and how many lengths each of the three
# codes has.
_DYNAMIC, _LAST, _HEADER_BITS = 0b100, 0b001, 17
BLOCK_HEADER = _DYNAMIC | (SYMBOLS - 257) << 3 | (len(_DISTANCES) - 1) << 8 | (len(META_ORDER) - 4) << 13


@dataclass(frozen=True, eq=False)
class Words:
    """Bit strings, written with the least significant bit first."""

    values: Tensor
    """int64 of any shape; 0 where the width is 0."""
    widths: Tensor
    """int64 of the same shape: bits of each value."""

    def times(self, factor: Tensor) -> Words:
        """These words where `factor`, int64, is 1; words of no bits where it is 0."""
        return Words(self.values * factor, self.widths * factor)


@dataclass(frozen=True, eq=False)
class BlockCode:
    """How K blocks are written. A block without tokens has no bits at all."""

    tokens: Words
    """(K,TOKENS): what is written for each token: its code and its extra bits."""
    head: Words
    """(K,h): what stands before the tokens: the block's header and its code lengths."""
    end: Words
    """(K,1): the code of the symbol that ends the block."""

    def bits(self, counts: Tensor) -> Tensor:
        """Bits of each block, (K,) int64, for tokens that occur `counts`, (K,TOKENS), times."""
        body = (counts * self.tokens.widths).sum(1)
        return body + self.head.widths.sum(1) + self.end.widths.sum(1)


def make_code(counts: Tensor, is_last: Tensor) -> BlockCode:
    """The optimal code of each block.

    Args:
        counts: (K,TOKENS) int64, how often each token occurs in each block.
        is_last: (K,) bool, whether the block is the last of its picture.
    """
    symbol, extra, extra_bits = cached_tables(token_tables, counts.device)
    # (K,SYMBOLS+1): how often each symbol occurs. The one more is that of NONE and of matches too short to exist.
    occurring = torch.zeros(counts.shape[0], SYMBOLS + 1, dtype=torch.int64, device=counts.device)
    occurring.scatter_add_(1, symbol.expand_as(counts), counts)
    occurring[:, END] = 1
    is_used = (counts.sum(1, keepdim=True) > 0).long()
    lengths = code_lengths(occurring[:, :SYMBOLS], _LIMIT)
    codes = canonical_codes(lengths, _LIMIT)
    widths = torch.nn.functional.pad(lengths, (0, 1))[:, symbol]
    values = torch.nn.functional.pad(codes, (0, 1))[:, symbol] | (extra << widths)
    # A token whose symbol has no code does not occur, except NONE, which has no bits anyway.
    return BlockCode(
        Words(values, widths + extra_bits),
        _head(lengths, is_last[:, None].long()).times(is_used),
        Words(codes[:, END : END + 1], lengths[:, END : END + 1]).times(is_used),
    )


def _head(lengths: Tensor, is_last: Tensor) -> Words:
    """The words before a block's tokens: its header, and the lengths of its codes under a code of their own.

    lengths: (K,SYMBOLS) int64. is_last: (K,1) int64. Each length is written for itself: repeat codes would need a
    serial search.
    """
    ones = torch.ones_like(lengths[:, :1])
    stated = torch.cat([lengths, ones.expand(-1, len(_DISTANCES))], dim=1)  # (K,288)
    occurring = torch.zeros_like(ones.expand(-1, len(META_ORDER)))
    occurring = occurring.scatter_add(1, stated, torch.ones_like(stated))
    meta = code_lengths(occurring, _META_LIMIT)
    codes = canonical_codes(meta, _META_LIMIT)
    (order,) = cached_tables(_meta_order, lengths.device)
    in_order = meta[:, order]
    values = [BLOCK_HEADER | is_last * _LAST, in_order, codes.gather(1, stated)]
    widths = [ones * _HEADER_BITS, torch.full_like(in_order, _META_BITS), meta.gather(1, stated)]
    return Words(torch.cat(values, dim=1), torch.cat(widths, dim=1))


def _meta_order() -> tuple[Tensor]:
    return (torch.tensor(META_ORDER),)


def token_tables() -> tuple[Tensor, Tensor, Tensor]:
    """For each token its symbol, its extra bits, and their number with the distance's one bit: (TOKENS,) int64 each."""
    symbol, extra, bits = ([*range(LITERALS)], [0] * LITERALS, [0] * LITERALS)
    for length in range(NONE - LITERALS):
        of, value, width = _match(length) if length >= _SHORTEST else (SYMBOLS, 0, -1)
        symbol.append(of)
        extra.append(value)
        bits.append(width + 1)
    symbol.append(SYMBOLS)
    extra.append(0)
    bits.append(0)
    assert len(symbol) == TOKENS
    return torch.tensor(symbol), torch.tensor(extra), torch.tensor(bits)


def _match(length: int) -> tuple[int, int, int]:
    """Symbol, extra bits and their number for a match of `length` bytes (RFC 1951, 3.2.5)."""
    if length == _LONGEST:
        return SYMBOLS - 1, 0, 0
    beyond = length - _SHORTEST
    # Each number of extra bits belongs to four symbols; no extra bits, to the first eight.
    width = max(0, beyond.bit_length() - 3)
    return _FIRST_MATCH + 4 * width + (beyond >> width), beyond & ((1 << width) - 1), width
