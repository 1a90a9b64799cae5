"""Packs codes of different widths into bytes: prefix sums give each code its place, then all are written at once."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.png.tables import BlockCode, Words

# Each 32-bit word of the result is summed in 64 bits: a code has at most 21 bits and is shifted by up to 31.
_BITS, _MASK, _SHIFT = 32, (1 << 32) - 1, 5
# Tokens that are written together. Their places and values take some 60 times as many bytes of memory.
_PART = 1 << 22


def pack(tokens: Tensor, code: BlockCode, starts: Tensor, capacity: int) -> Tensor:
    """Writes the blocks of every picture as bits.

    Args:
        tokens: (K,n,w) int16, the tokens of K blocks, equally many for each picture.
        code: The Huffman codes of these blocks.
        starts: (B,K/B) int64, the bit at which each block begins in its picture's stream.
        capacity: Bytes of a picture's result. Bits beyond it are dropped: that picture is stored instead.

    Returns:
        (B,capacity) uint8.
    """
    batch, blocks = starts.shape
    # (B*each,) words of all pictures; each has two more, which take the bits beyond its capacity.
    each = capacity // 4 + 3
    words = torch.zeros(batch * each, dtype=torch.int64, device=tokens.device)
    picture = torch.arange(batch, device=tokens.device).repeat_interleave(blocks)
    base = picture.view(-1, 1, 1) * each
    at = _write(words, code.head, starts.view(-1, 1, 1), base, each - 2)
    ends = write_tokens(words, tokens, code.tokens, at, base, each - 2)
    _write(words, code.end, ends, base, each - 2)
    return words.view(torch.uint8).view(batch, -1, 8)[:, :, :4].flatten(1)[:, :capacity]


def write_tokens(words: Tensor, tokens: Tensor, table: Words, at: Tensor, base: Tensor, last: int) -> Tensor:
    """Writes each block's tokens.

    Args:
        words: (W,) int64, the words of the result, added to in place.
        tokens: (K,n,w) int16.
        table: (K,TOKENS) words, each token's code in each block.
        at: (K,1,1) int64, the block's first bit, counted from word `base`.
        base: (K,1,1) int64, the first word of the block's picture.
        last: The word, counted from `base`, that takes bits beyond it, together with the word after it.

    Returns:
        (K,1,1) int64, the bit behind each block's tokens.
    """
    step = max(1, _PART // tokens[0].numel())
    parts = [slice(first, first + step) for first in range(0, len(tokens), step)]
    ends = [
        _write(words, _looked_up(table, tokens[part], part), at[part], base[part], last) for part in parts
    ]
    return torch.cat(ends)


def _looked_up(table: Words, tokens: Tensor, part: slice) -> Words:
    """The codes of tokens: (k,n,w) words. part: the blocks that the tokens belong to."""
    index = tokens.flatten(1).long()
    values, widths = (of[part].gather(1, index).view(tokens.shape) for of in (table.values, table.widths))
    return Words(values, widths)


def _write(words: Tensor, given: Words, at: Tensor, base: Tensor, last: int) -> Tensor:
    """Writes each block's (K,n,w) or (K,w) words from its bit `at` on; returns the bit behind them, (K,1,1)."""
    widths = given.widths.view(len(at), -1, given.widths.shape[-1])
    # Prefix sums in two steps, within and across lines: a GPU sums many short lines faster than few long ones.
    inside = widths.cumsum(2)
    ends = at + inside[:, :, -1:].cumsum(1)
    places = ends - inside[:, :, -1:] + inside - widths
    shifted = given.values.view_as(places) << (places & (_BITS - 1))
    word = ((places >> _SHIFT).clamp_(max=last) + base).flatten()
    # No two values share a bit, so adding them is the same as a bitwise or, which torch cannot scatter.
    words.scatter_add_(0, word, (shifted & _MASK).flatten())
    words.scatter_add_(0, word + 1, (shifted >> _BITS).flatten())
    return ends[:, -1:]
