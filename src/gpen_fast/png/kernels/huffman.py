"""`gpen_fast.png.huffman` inside a kernel: code lengths and codes of one histogram, a symbol a lane.

Lists are merged by finding how many leaves are among an even number of first items, for all even numbers at once
(merge path: O. Green, R. McColl, D. A. Bader, "GPU merge path", ICS 2012). So nothing is sorted but the leaves.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def code_lengths(counts, NEVER: tl.constexpr, LIMIT: tl.constexpr, LANES: tl.constexpr, STEPS: tl.constexpr):
    """(LANES,) int32 lengths of at most LIMIT bits, 0 where nothing occurs: as `code_lengths` in torch operations.

    counts: (LANES,) int32, together at most NEVER / LIMIT; NEVER << STEPS below 2^31. LANES is 2^STEPS.
    """
    lane = tl.arange(0, LANES)
    # Symbols order equals, and no two keys are the same.
    keys = (tl.where(counts > 0, counts, NEVER) << STEPS) + lane
    ordered = tl.sort(keys)
    leaves = ordered >> STEPS
    packages = tl.zeros((LANES,), tl.int32) + NEVER
    lists = tl.arange(0, 16)[:, None]
    leaves_before = tl.zeros((16, LANES), tl.int32)
    for number in range(LIMIT):
        taken = _leaves_among_first(leaves, packages, 2 * lane, LANES, STEPS)
        leaves_before = tl.where(lists == number, taken[None, :], leaves_before)
        packages = _paired(leaves, packages, taken, 2 * lane, NEVER, LANES)
    rank = _rank(ordered, keys, LANES, STEPS)
    return _times_taken(leaves_before, rank, tl.sum((counts > 0).to(tl.int32)), LIMIT, LANES)


@triton.jit
def _leaves_among_first(leaves, packages, number, LANES: tl.constexpr, STEPS: tl.constexpr):
    """How many of the `number` first items of both lists, merged, are leaves; a leaf comes before its equal."""
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
    """The sums of the items that follow the `number` first and the one after; NEVER stays what it is."""
    leaf = tl.gather(leaves, taken, 0)
    package = tl.gather(packages, tl.minimum(number - taken, LANES - 1), 0)
    first = tl.minimum(leaf, package)
    then = taken + (leaf <= package).to(tl.int32)
    leaf = tl.gather(leaves, tl.minimum(then, LANES - 1), 0)
    package = tl.gather(packages, tl.minimum(number + 1 - then, LANES - 1), 0)
    return tl.minimum(first + tl.minimum(leaf, package), NEVER)


@triton.jit
def _rank(ordered, keys, LANES: tl.constexpr, STEPS: tl.constexpr):
    """Where each key stands among all, which are in order."""
    place = tl.zeros((LANES,), tl.int32)
    for step in range(STEPS):
        onward = place + (LANES >> (step + 1))
        place = tl.where(tl.gather(ordered, onward, 0) <= keys, onward, place)
    return place


@triton.jit
def _times_taken(leaves_before, rank, occurring, LIMIT: tl.constexpr, LANES: tl.constexpr):
    """In how many lists each leaf is among the items that the solution takes, from the last list to the first."""
    lists, pairs = tl.arange(0, 16)[:, None], tl.arange(0, LANES)[None, :]
    wanted = tl.maximum(occurring - 1, 0)
    times = tl.zeros((LANES,), tl.int32)
    for back in range(LIMIT):
        here = (lists == LIMIT - 1 - back) & (pairs == wanted)
        leaves = tl.sum(tl.sum(tl.where(here, leaves_before, 0), axis=1), axis=0)
        times += (rank < leaves).to(tl.int32)
        wanted = 2 * wanted - leaves
    return times


@triton.jit
def canonical_codes(lengths, LIMIT: tl.constexpr):
    """Codes of at most 16 bits, reversed: as `canonical_codes` in torch operations."""
    code = tl.zeros_like(lengths)
    first = tl.zeros_like(lengths)
    for bits in range(1, LIMIT + 1):
        has = (lengths == bits).to(tl.int32)
        code = tl.where(has > 0, first + tl.cumsum(has, 0).to(tl.int32) - 1, code)
        first = (first + tl.sum(has)) * 2
    code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555)
    code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333)
    code = ((code & 0x0F0F) << 4) | ((code >> 4) & 0x0F0F)
    code = ((code & 0x00FF) << 8) | ((code >> 8) & 0x00FF)
    return code >> (16 - lengths)
