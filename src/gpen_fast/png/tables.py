"""What each token is written as: one dynamic Huffman code a block (RFC 1951, 3.2.5 to 3.2.7)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.png.constants import on_device
from gpen_fast.png.huffman import canonical_codes, code_lengths
from gpen_fast.png.runs import LITERALS, NONE, TOKENS

END, SYMBOLS, _LIMIT = 256, 286, 15
_FIRST_MATCH, _SHORTEST, _LONGEST = 257, 3, 258
# Two codes of one bit each, so that the distances' code is complete too; only the first is used.
_DISTANCES = (1, 1)
META_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_META_LIMIT, _META_BITS = 7, 3
_DYNAMIC, _LAST = 0b100, 0b001
BLOCK_HEADER = _DYNAMIC | (SYMBOLS - 257) << 3 | (len(_DISTANCES) - 1) << 8 | (len(META_ORDER) - 4) << 13


@dataclass(frozen=True, eq=False)
class Words:
    """Values and their widths in bits, both int64, least significant bit first. A value without width is 0."""

    values: Tensor
    widths: Tensor

    def times(self, factor: Tensor) -> Words:
        """These words where `factor` is 1, none where it is 0."""
        return Words(self.values * factor, self.widths * factor)


@dataclass(frozen=True, eq=False)
class Code:
    """How blocks are written: (K,TOKENS) words for tokens, (K,h) for what stands before, (K,1) for the end.

    A block without tokens has no bits at all.
    """

    tokens: Words
    head: Words
    end: Words

    def bits(self, counts: Tensor) -> Tensor:
        """(K,) int64: the blocks' bits. counts: (K,TOKENS), of each token."""
        body = (counts * self.tokens.widths).sum(1)
        return body + self.head.widths.sum(1) + self.end.widths.sum(1)


def make_code(counts: Tensor, is_last: Tensor) -> Code:
    """The optimal code for tokens that occur so often: (K,TOKENS) int64 counts; (K,) bool, whether none follows."""
    symbol, extra, extra_bits = on_device(token_tables, counts.device)
    occurring = torch.zeros(counts.shape[0], SYMBOLS + 1, dtype=torch.int64, device=counts.device)
    occurring.scatter_add_(1, symbol.expand_as(counts), counts)
    occurring[:, END] = 1
    is_used = (counts.sum(1, keepdim=True) > 0).long()
    lengths = code_lengths(occurring[:, :SYMBOLS], _LIMIT)
    codes = canonical_codes(lengths, _LIMIT)
    widths = torch.nn.functional.pad(lengths, (0, 1))[:, symbol]
    values = torch.nn.functional.pad(codes, (0, 1))[:, symbol] | (extra << widths)
    # Where a symbol does not occur its token does not either, but NONE, which has neither bits nor extra ones.
    return Code(
        Words(values, widths + extra_bits),
        _head(lengths, is_last[:, None].long()).times(is_used),
        Words(codes[:, END : END + 1], lengths[:, END : END + 1]).times(is_used),
    )


def _head(lengths: Tensor, is_last: Tensor) -> Words:
    """The block's header, and the code lengths under a code of their own."""
    ones = torch.ones_like(lengths[:, :1])
    said = torch.cat([lengths, ones.expand(-1, len(_DISTANCES))], dim=1)
    occurring = torch.zeros_like(ones.expand(-1, len(META_ORDER)))
    occurring = occurring.scatter_add(1, said, torch.ones_like(said))
    meta = code_lengths(occurring, _META_LIMIT)
    codes = canonical_codes(meta, _META_LIMIT)
    (order,) = on_device(_meta_order, lengths.device)
    in_order = meta[:, order]
    values = [BLOCK_HEADER | is_last * _LAST, in_order, codes.gather(1, said)]
    widths = [ones * 17, torch.full_like(in_order, _META_BITS), meta.gather(1, said)]
    return Words(torch.cat(values, dim=1), torch.cat(widths, dim=1))


def _meta_order() -> tuple[Tensor]:
    return (torch.tensor(META_ORDER),)


def token_tables() -> tuple[Tensor, Tensor, Tensor]:
    """(TOKENS,) int64 each: a token's symbol; its extra bits; their number, with the distance's one."""
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
    """Symbol, extra bits and their number for a match's length (RFC 1951, 3.2.5)."""
    if length == _LONGEST:
        return SYMBOLS - 1, 0, 0
    beyond = length - _SHORTEST
    # Four symbols share each number of extra bits; the first eight have none.
    width = max(0, beyond.bit_length() - 3)
    return _FIRST_MATCH + 4 * width + (beyond >> width), beyond & ((1 << width) - 1), width
