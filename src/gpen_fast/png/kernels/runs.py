"""`gpen_fast.png.runs.tokens_by_blocks` in one kernel: bytes are read once; tokens, counts and Adler-32's sums made."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.kernels import OPTIONS
from gpen_fast.png.runs import BLOCK, LEAST, LITERALS, NONE, TOKENS, WINDOW

# Windows of one program: it adds its counts to its block's once.
_GROUP = 8
_LANES, _BINS = triton.next_power_of_2(WINDOW), triton.next_power_of_2(TOKENS)
# The greatest prime below 2^16 (RFC 1950, 9).
ADLER = 65521


def tokens_by_blocks(stream: Tensor, lengths: Tensor, counts: Tensor, sums: Tensor) -> Tensor:
    """(K,66048) int16 tokens of a (B,N) uint8 stream; nothing is written where no byte counts.

    lengths: (B,) int64. counts: (K,TOKENS) int32 zeros, how often each token occurs is added. sums: (K,2) int64 zeros,
    of bytes, and of bytes times places modulo 65521, up to multiples of it.
    """
    batch, most = stream.shape
    blocks = len(counts) // batch
    tokens = torch.empty(batch * blocks, BLOCK * WINDOW, dtype=torch.int16, device=stream.device)
    grid = (batch * blocks * (BLOCK // _GROUP),)
    figures = (BLOCK, WINDOW, LEAST, LITERALS, NONE, TOKENS, _GROUP, _LANES, _BINS, ADLER)
    _tokenise[grid](stream, lengths, tokens, counts, sums, most, blocks, *figures, **OPTIONS)
    return tokens


@triton.jit(do_not_specialize=["most", "blocks"])
def _tokenise(
    stream, lengths, tokens, counts, sums, most, blocks,
    BLOCK: tl.constexpr, WINDOW: tl.constexpr, LEAST: tl.constexpr, LITERALS: tl.constexpr, NONE: tl.constexpr,
    TOKENS: tl.constexpr, GROUP: tl.constexpr, LANES: tl.constexpr, BINS: tl.constexpr, ADLER: tl.constexpr,
):  # fmt: skip
    part = tl.program_id(0).to(tl.int64)
    block = part // (BLOCK // GROUP)
    picture = block // blocks
    # The first byte, counted from its picture's and from all blocks' beginning.
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
            near = step * WINDOW + lane
            place = first + near
            inside = (lane < WINDOW) & (place < length)
            value = tl.load(source + place, mask=inside, other=0).to(tl.int32)
            plain += value
            placed += value * near
            token = _tokens_of(source, value, place, lane, inside, WINDOW, LEAST, LITERALS, NONE)
            tl.store(target + near, token.to(tl.int16), mask=lane < WINDOW)
            found += tl.histogram(token, BINS)
        kind = tl.arange(0, BINS)
        many = counts + block * TOKENS + kind
        tl.atomic_add(many, found, mask=(kind < NONE) & (found > 0), sem="relaxed")
        total = tl.sum(plain).to(tl.int64)
        tl.atomic_add(sums + 2 * block, total, sem="relaxed")
        tl.atomic_add(sums + 2 * block + 1, tl.sum(placed) + first % ADLER * total, sem="relaxed")


@triton.jit
def _tokens_of(
    source, value, place, lane, inside,
    WINDOW: tl.constexpr, LEAST: tl.constexpr, LITERALS: tl.constexpr, NONE: tl.constexpr,
):  # fmt: skip
    before = tl.load(source + place - 1, mask=inside & (place > 0), other=0).to(tl.int32)
    repeats = inside & (place > 0) & (value == before)
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
