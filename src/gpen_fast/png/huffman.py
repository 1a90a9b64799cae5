"""Optimal code lengths with a limit, and canonical codes, for a batch of histograms at once.

Lengths by package-merge: L. L. Larmore and D. S. Hirschberg, "A fast algorithm for optimal length-limited Huffman
codes", Journal of the ACM 37 (3), 1990. Codes as in RFC 1951, 3.2.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Weighs more than all that occurs together and, 2^15 times, still fits into 63 bits.
_NEVER = 1 << 45


def code_lengths(counts: Tensor, limit: int) -> Tensor:
    """Lengths of an optimal complete prefix code of at most `limit` bits: (B,S) int64, 0 where nothing occurs.

    counts: (B,S) int64, at least two of each row above zero, their sum below 2^40; S at most 2^limit, limit at
    most 15. Integers and stable sorting only, so that the result is the same on every device.
    """
    symbols = counts.shape[1]
    weights, order = counts.masked_fill(counts == 0, _NEVER).sort(dim=1, stable=True)
    merged, was_leaf = weights, [torch.ones_like(weights, dtype=torch.bool)]
    for _ in range(limit - 1):
        even = merged[:, : merged.shape[1] // 2 * 2]
        packages = even[:, 0::2] + even[:, 1::2]
        merged, origin = torch.cat([weights, packages], dim=1).sort(dim=1, stable=True)
        was_leaf.append(origin < symbols)
    occurring = (counts > 0).sum(1, keepdim=True)
    lengths = _times_taken(was_leaf, 2 * occurring - 2, symbols)
    return torch.zeros_like(counts).scatter_(1, order, lengths)


def _times_taken(was_leaf: list[Tensor], wanted: Tensor, symbols: int) -> Tensor:
    """(B,S): in how many lists each leaf, in sorted order, is among the items that the solution takes.

    The solution takes the `wanted` first items of the last list, and of each list before it the items of the
    packages taken: always the first ones again.
    """
    place = torch.arange(2 * symbols, device=wanted.device)
    rank, taken = place[:symbols], torch.zeros_like(wanted)
    for leaf in reversed(was_leaf):
        leaves = (leaf & (place[: leaf.shape[1]] < wanted)).sum(1, keepdim=True)
        taken = taken + (rank < leaves)
        wanted = 2 * (wanted - leaves)
    return taken


def canonical_codes(lengths: Tensor, limit: int) -> Tensor:
    """The codes of RFC 1951, 3.2.2, bits reversed as they enter the stream: (B,S) int64 for (B,S) lengths."""
    bits = torch.arange(1, limit + 1, device=lengths.device)
    has = lengths[:, None, :] == bits[:, None]
    # The first code of a length: all shorter codes, each with the room that it takes at this length.
    room = torch.where(bits[:, None] > bits, 1 << (bits[:, None] - bits).clamp(min=0), 0)
    first = (has.sum(2)[:, None, :] * room).sum(2)
    rank = has.long().cumsum(2) - 1
    code = (torch.where(has, first[:, :, None] + rank, 0)).sum(1)
    return _reversed(code, lengths, limit)


def _reversed(code: Tensor, lengths: Tensor, limit: int) -> Tensor:
    bit = torch.arange(limit, device=code.device)
    place = (lengths[..., None] - 1 - bit).clamp(min=0)
    return (((code[..., None] >> bit) & 1) << place).sum(-1)
