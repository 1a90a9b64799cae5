"""Bits into bytes: every word's place by prefix sums, then all written at once, none over another."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.png.tables import Code, Words

# Words of 32 bits in 64: a code of 21 bits and its shift by up to 31 leave none over.
_BITS, _MASK, _SHIFT = 32, (1 << 32) - 1, 5
# Tokens that are written together; their places and values take some 60 times as much memory.
_PART = 1 << 22


@dataclass(frozen=True, eq=False)
class _Room:
    """The pictures' words, one picture after the other, and the first of each block's own: (K,1,1)."""

    words: Tensor
    each: int
    base: Tensor

    def part(self, blocks: slice) -> _Room:
        return _Room(self.words, self.each, self.base[blocks])


def pack(tokens: Tensor, code: Code, starts: Tensor, capacity: int) -> Tensor:
    """(B,capacity) uint8: the pictures' blocks where they begin; what would lie beyond is left out.

    tokens: (K,n,w) int16, K blocks, as many of each picture. code: theirs. starts: (B,K/B) int64, bits.
    """
    batch, blocks = starts.shape
    # Two words more, for what does not fit.
    each = capacity // 4 + 3
    words = torch.zeros(batch * each, dtype=torch.int64, device=tokens.device)
    picture = torch.arange(batch, device=tokens.device).repeat_interleave(blocks)
    room = _Room(words, each, picture.view(-1, 1, 1) * each)
    at = _write(room, code.head, starts.view(-1, 1, 1))
    step = max(1, _PART // tokens[0].numel())
    ends = [
        _write(room.part(part), _looked_up(code.tokens, tokens[part], part), at[part])
        for part in (slice(first, first + step) for first in range(0, len(tokens), step))
    ]
    _write(room, code.end, torch.cat(ends))
    return words.view(torch.uint8).view(batch, -1, 8)[:, :, :4].flatten(1)[:, :capacity]


def _looked_up(table: Words, tokens: Tensor, part: slice) -> Words:
    index = tokens.flatten(1).long()
    values, widths = (of[part].gather(1, index).view(tokens.shape) for of in (table.values, table.widths))
    return Words(values, widths)


def _write(room: _Room, given: Words, at: Tensor) -> Tensor:
    """Writes each block's (K,n,w) or (K,w) words from its bit `at`, (K,1,1), on; gives the bits after them."""
    widths = given.widths.view(len(at), -1, given.widths.shape[-1])
    # Sums in two steps, over many short lines: that is what a GPU does well.
    inside = widths.cumsum(2)
    ends = at + inside[:, :, -1:].cumsum(1)
    places = ends - inside[:, :, -1:] + inside - widths
    shifted = given.values.view_as(places) << (places & (_BITS - 1))
    word = ((places >> _SHIFT).clamp_(max=room.each - 2) + room.base).flatten()
    # Sums are unions here, since no two values share a bit.
    room.words.scatter_add_(0, word, (shifted & _MASK).flatten())
    room.words.scatter_add_(0, word + 1, (shifted >> _BITS).flatten())
    return ends[:, -1:]
