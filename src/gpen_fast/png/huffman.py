"""Optimal length-limited code lengths, and canonical codes, for a batch of histograms at once.

Lengths by package-merge: L. L. Larmore and D. S. Hirschberg, "A fast algorithm for optimal length-limited Huffman
codes", Journal of the ACM 37 (3), 1990. Codes as in RFC 1951, 3.2.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Weight of a symbol that does not occur: more than all that occur together, and 2^15 times it still fits into 63 bits.
_NEVER = 1 << 45


def code_lengths(counts: Tensor, limit: int) -> Tensor:
    """Lengths of an optimal complete prefix code for each histogram.

    Integers and stable sorting only, so that the result is the same on every device.

    Args:
        counts: (B,S) int64, how often each symbol occurs. At least two of each row occur, their sum is below 2^40, and
            S is at most 2^limit. With fewer than two symbols every length is 0.
        limit: The most bits of a code, at most 15.

    Returns:
        (B,S) int64, bits of each symbol's code; 0 where it does not occur.
    """
    symbols = counts.shape[1]
    # Leaves: the symbols by weight, (B,S). Each list merges them with pairs of the list before, the packages.
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
    """In how many lists each leaf is among the items that the solution takes: (B,S), in sorted order.

    The solution takes the `wanted`, (B,1), first items of the last list, and of each list before it the items that its
    taken packages hold. Those are always the first ones too.
    """
    place = torch.arange(2 * symbols, device=wanted.device)
    rank, taken = place[:symbols], torch.zeros_like(wanted)
    for leaf in reversed(was_leaf):
        leaves = (leaf & (place[: leaf.shape[1]] < wanted)).sum(1, keepdim=True)
        taken = taken + (rank < leaves)
        wanted = 2 * (wanted - leaves)
    return taken


def canonical_codes(lengths: Tensor, limit: int) -> Tensor:
    """The canonical codes of RFC 1951, 3.2.2, with their bits reversed, as they enter the stream.

    Args:
        lengths: (B,S) int64, bits of each symbol's code.
        limit: The most bits of a code.

    Returns:
        (B,S) int64.
    """
    bits = torch.arange(1, limit + 1, device=lengths.device)
    has = lengths[:, None, :] == bits[:, None]  # (B,limit,S)
    # First code of each length: a code of b bits takes up 2^(length-b) codes of a longer length.
    room = torch.where(bits[:, None] > bits, 1 << (bits[:, None] - bits).clamp(min=0), 0)
    first = (has.sum(2)[:, None, :] * room).sum(2)  # (B,limit)
    rank = has.long().cumsum(2) - 1
    code = (torch.where(has, first[:, :, None] + rank, 0)).sum(1)
    return _reversed(code, lengths, limit)


def _reversed(code: Tensor, lengths: Tensor, limit: int) -> Tensor:
    """Codes with their `lengths` bits in reverse order."""
    bit = torch.arange(limit, device=code.device)
    place = (lengths[..., None] - 1 - bit).clamp(min=0)
    return (((code[..., None] >> bit) & 1) << place).sum(-1)
