"""`gpen_fast.png.huffman` inside a kernel: code lengths and codes of one histogram, one symbol a lane.

The lists of package-merge are merged without sorting: a binary search finds how many leaves are among the first 0, 2,
4, ... items of a merged list, for all of these numbers at once (merge path: O. Green, R. McColl, D. A. Bader, "GPU
merge path", ICS 2012). Only the leaves are sorted, once.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def huffman_lengths(
    counts, NEVER: tl.constexpr, LIMIT: tl.constexpr, LANES: tl.constexpr, STEPS: tl.constexpr
):
    """(LANES,) int32 counts to (LANES,) int32 code lengths of at most LIMIT bits, 0 where nothing occurs.

    The same lengths as `code_lengths` in torch operations. NEVER is the weight of what does not occur: the counts add
    up to at most NEVER / LIMIT, and NEVER << STEPS is below 2^31. LANES is 2^STEPS.
    """
    lane = tl.arange(0, LANES)
    # Weights with the symbol below them: no two keys are equal, and equal weights stay in the order of their symbols.
    keys = (tl.where(counts > 0, counts, NEVER) << STEPS) + lane
    ordered = tl.sort(keys)
    leaves = ordered >> STEPS
    # The first list has leaves only: packages that never come before a leaf.
    packages = tl.zeros((LANES,), tl.int32) + NEVER
    lists = tl.arange(0, 16)[:, None]
    leaves_before = tl.zeros((16, LANES), tl.int32)
    for number in range(LIMIT):
        # (LANES,): leaves among the first 2*lane items of this list, kept in a row of the (16,LANES) table.
        taken = _leaves_among_first(leaves, packages, 2 * lane, LANES, STEPS)
        leaves_before = tl.where(lists == number, taken[None, :], leaves_before)
        # (LANES,): the packages of the next list, pairs of this list's items.
        packages = _paired(leaves, packages, taken, 2 * lane, NEVER, LANES)
    # (LANES,): each symbol's place among the sorted leaves, then in how many lists the solution takes it.
    rank = _rank(ordered, keys, LANES, STEPS)
    return _lists_that_take(leaves_before, rank, tl.sum((counts > 0).to(tl.int32)), LIMIT, LANES)


@triton.jit
def _leaves_among_first(leaves, packages, number, LANES: tl.constexpr, STEPS: tl.constexpr):
    """(LANES,): leaves among the first `number`, (LANES,), items of both lists merged; leaves precede their equals."""
    low = tl.maximum(number - (LANES - 1), 0)
    high = tl.minimum(number, LANES - 1)
    for _ in range(STEPS):
        middle = (low + high) >> 1
        leaf = tl.gather(leaves, middle, 0)
        package = tl.gather(packages, tl.minimum(tl.maximum(number - 1 - middle, 0), LANES - 1), 0)
        is_open, is_more = low < high, leaf <= package
        high = tl.where(is_open & (leaf > package), middle, high)
        low = tl.where(is_open & is_more, middle + 1, low)
    return low


@triton.jit
def _paired(leaves, packages, taken, number, NEVER: tl.constexpr, LANES: tl.constexpr):
    """(LANES,) sums of the two items behind the first `number`, of which `taken` are leaves; capped at NEVER."""
    leaf = tl.gather(leaves, taken, 0)
    package = tl.gather(packages, tl.minimum(number - taken, LANES - 1), 0)
    first = tl.minimum(leaf, package)
    then = taken + (leaf <= package).to(tl.int32)
    leaf = tl.gather(leaves, tl.minimum(then, LANES - 1), 0)
    package = tl.gather(packages, tl.minimum(number + 1 - then, LANES - 1), 0)
    return tl.minimum(first + tl.minimum(leaf, package), NEVER)


@triton.jit
def _rank(ordered, keys, LANES: tl.constexpr, STEPS: tl.constexpr):
    """(LANES,): the place of each key among the sorted ones, by binary search."""
    place = tl.zeros((LANES,), tl.int32)
    for step in range(STEPS):
        onward = place + (LANES >> (step + 1))
        place = tl.where(tl.gather(ordered, onward, 0) <= keys, onward, place)
    return place


@triton.jit
def _lists_that_take(leaves_before, rank, occurring, LIMIT: tl.constexpr, LANES: tl.constexpr):
    """(LANES,): in how many lists each leaf is among the items that the solution takes, from the last list on.

    wanted: half the items taken of a list. Those that are packages double the items taken of the list before.
    """
    lists, pairs = tl.arange(0, 16)[:, None], tl.arange(0, LANES)[None, :]
    wanted = tl.maximum(occurring - 1, 0)
    times = tl.zeros((LANES,), tl.int32)
    for back in range(LIMIT):
        # Reads leaves_before[LIMIT-1-back, wanted]: a register tile has no other way to read one element.
        here = (lists == LIMIT - 1 - back) & (pairs == wanted)
        leaves = tl.sum(tl.sum(tl.where(here, leaves_before, 0), axis=1), axis=0)
        times += (rank < leaves).to(tl.int32)
        wanted = 2 * wanted - leaves
    return times


@triton.jit
def huffman_codes(lengths, LIMIT: tl.constexpr):
    """(LANES,) code lengths to (LANES,) canonical codes of at most 16 bits, bits reversed.

    The same codes as `canonical_codes` in torch operations.
    """
    code = tl.zeros_like(lengths)
    first = tl.zeros_like(lengths)
    for bits in range(1, LIMIT + 1):
        # Codes of one length count up from the first, in the order of the symbols.
        has = (lengths == bits).to(tl.int32)
        code = tl.where(has > 0, first + tl.cumsum(has, 0).to(tl.int32) - 1, code)
        first = (first + tl.sum(has)) * 2
    # Reverses 16 bits by swapping neighbours, pairs, fours and bytes; then drops those that are no part of the code.
    code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555)
    code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333)
    code = ((code & 0x0F0F) << 4) | ((code >> 4) & 0x0F0F)
    code = ((code & 0x00FF) << 8) | ((code >> 8) & 0x00FF)
    return code >> (16 - lengths)
