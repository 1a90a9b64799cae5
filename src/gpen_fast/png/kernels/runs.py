"""`gpen_fast.png.runs.tokens_by_blocks` in one kernel that reads each byte once.

It writes the tokens, counts them, and adds up what Adler-32 needs.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.checksums import ADLER
from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.runs import BLOCK, LEAST, LITERALS, NONE, TOKENS, WINDOW

# Windows of one program, which adds its counts to those of its block once.
_GROUP = 8
_LANES, _BINS = triton.next_power_of_2(WINDOW), triton.next_power_of_2(TOKENS)


def launch_runs(stream: Tensor, lengths: Tensor, counts: Tensor, sums: Tensor) -> Tensor:
    """Tokenises streams block by block.

    Args:
        stream: (B,N) uint8.
        lengths: (B,) int64, bytes of each stream.
        counts: (K,TOKENS) int32 zeros; how often each token occurs in each block is added.
        sums: (K,2) int64 zeros; the sum of the block's bytes, and that of its bytes times their places in the stream,
            are added. The second is right modulo 65521.

    Returns:
        (K,66048) int16 tokens, undefined in groups of windows that lie behind the stream's end.
    """
    batch, most = stream.shape
    blocks = len(counts) // batch
    tokens = torch.empty(batch * blocks, BLOCK * WINDOW, dtype=torch.int16, device=stream.device)
    grid = (batch * blocks * (BLOCK // _GROUP),)
    constants = (BLOCK, WINDOW, LEAST, LITERALS, NONE, TOKENS, _GROUP, _LANES, _BINS, ADLER)
    _tokenise[grid](stream, lengths, tokens, counts, sums, most, blocks, *constants, **OPTIONS)
    return tokens


@triton.jit(do_not_specialize=["most", "blocks"])
def _tokenise(
    stream, lengths, tokens, counts, sums, most, blocks,
    BLOCK: tl.constexpr, WINDOW: tl.constexpr, LEAST: tl.constexpr, LITERALS: tl.constexpr, NONE: tl.constexpr,
    TOKENS: tl.constexpr, GROUP: tl.constexpr, LANES: tl.constexpr, BINS: tl.constexpr, ADLER: tl.constexpr,
):  # fmt: skip
    """One program for GROUP windows: their bytes to tokens, counts and sums."""
    part = tl.program_id(0).to(tl.int64)
    block = part // (BLOCK // GROUP)
    picture = block // blocks
    # The group's first byte, counted in its picture's stream, and its first token, counted in all blocks.
    first = (part - picture * blocks * (BLOCK // GROUP)) * (GROUP * WINDOW)
    target = tokens + part * (GROUP * WINDOW)
    source = stream + picture * most
    length = tl.load(lengths + picture)
    lane = tl.arange(0, LANES)
    if first < length:
        found = tl.zeros((BINS,), tl.int32)
        plain = tl.zeros((LANES,), tl.int32)
        placed = tl.zeros((LANES,), tl.int32)
        for step in range(GROUP):
            # (LANES,) bytes of one window, of which WINDOW lanes are in use.
            near = step * WINDOW + lane
            place = first + near
            inside = (lane < WINDOW) & (place < length)
            value = tl.load(source + place, mask=inside, other=0).to(tl.int32)
            # Lane by lane: the sum of bytes, and of bytes times their places in the group.
            plain += value
            placed += value * near
            # (LANES,) bytes to (LANES,) tokens and a (BINS,) histogram.
            token = _tokens_of(source, value, place, lane, inside, WINDOW, LEAST, LITERALS, NONE)
            tl.store(target + near, token.to(tl.int16), mask=lane < WINDOW)
            found += tl.histogram(token, BINS)
        # Other programs add to the same block. Sums of integers are the same in any order.
        kind = tl.arange(0, BINS)
        many = counts + block * TOKENS + kind
        tl.atomic_add(many, found, mask=(kind < NONE) & (found > 0), sem="relaxed")
        # (LANES,) sums to two numbers; places count from the stream's first byte, the group's start modulo 65521.
        total = tl.sum(plain).to(tl.int64)
        tl.atomic_add(sums + 2 * block, total, sem="relaxed")
        tl.atomic_add(sums + 2 * block + 1, tl.sum(placed) + first % ADLER * total, sem="relaxed")


@triton.jit
def _tokens_of(
    source, value, place, lane, inside,
    WINDOW: tl.constexpr, LEAST: tl.constexpr, LITERALS: tl.constexpr, NONE: tl.constexpr,
):  # fmt: skip
    """(LANES,) bytes of a window to (LANES,) int32 tokens: literals, matches where they begin, NONE elsewhere."""
    before = tl.load(source + place - 1, mask=inside & (place > 0), other=0).to(tl.int32)
    repeats = inside & (place > 0) & (value == before)
    # The run of repeats that each byte is in: the place behind the last other byte, and that of the next other byte.
    start = tl.associative_scan(tl.where(repeats, -1, lane), 0, _larger) + 1
    end = tl.associative_scan(tl.where(repeats, WINDOW, lane), 0, _smaller, reverse=True)
    match = tl.where(lane == start, LITERALS + end - start, NONE)
    token = tl.where(repeats & (end - start >= LEAST), match, value)
    return tl.where(inside, token, NONE)


@triton.jit
def _larger(one, other):
    return tl.maximum(one, other)


@triton.jit
def _smaller(one, other):
    return tl.minimum(one, other)
