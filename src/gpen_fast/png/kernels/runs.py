"""`gpen_fast.png.runs.tokens_by_blocks` in one kernel: bytes are read once, tokens written and counted at once."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.runs import BLOCK, LEAST, LITERALS, NONE, TOKENS, WINDOW

# Windows of one program: it adds its counts to its block's once.
_GROUP = 8
_LANES, _BINS = triton.next_power_of_2(WINDOW), triton.next_power_of_2(TOKENS)


def tokens_by_blocks(windows: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """(B,n,258) uint8 to (K,256,258) int16 and (K,TOKENS) int64: see the torch operations."""
    batch, number, _ = windows.shape
    blocks = -(-number // BLOCK)
    tokens = torch.empty(batch * blocks, BLOCK, WINDOW, dtype=torch.int16, device=windows.device)
    counts = torch.zeros(batch * blocks, TOKENS, dtype=torch.int64, device=windows.device)
    grid = (blocks * BLOCK // _GROUP, batch)
    figures = (BLOCK, WINDOW, LEAST, LITERALS, NONE, TOKENS, _GROUP, _LANES, _BINS)
    with torch.cuda.device_of(windows):
        _tokenise[grid](windows.contiguous(), lengths, tokens, counts, number, blocks, *figures)
    return tokens, counts


@triton.jit
def _tokenise(
    stream, lengths, tokens, counts, number, blocks,
    BLOCK: tl.constexpr, WINDOW: tl.constexpr, LEAST: tl.constexpr, LITERALS: tl.constexpr, NONE: tl.constexpr,
    TOKENS: tl.constexpr, GROUP: tl.constexpr, LANES: tl.constexpr, BINS: tl.constexpr,
):  # fmt: skip
    picture = tl.program_id(1).to(tl.int64)
    first = tl.program_id(0).to(tl.int64) * GROUP
    length = tl.load(lengths + picture)
    source = stream + picture * number * WINDOW
    target = tokens + picture * blocks * BLOCK * WINDOW
    lane = tl.arange(0, LANES)
    if first * WINDOW >= length:
        for step in range(GROUP):
            place = (first + step) * WINDOW + lane
            tl.store(target + place, tl.full((LANES,), NONE, tl.int16), mask=lane < WINDOW)
    else:
        found = tl.zeros((BINS,), tl.int32)
        for step in range(GROUP):
            place = (first + step) * WINDOW + lane
            inside = (lane < WINDOW) & (place < length)
            token = _tokens_of(source, place, lane, inside, WINDOW, LEAST, LITERALS, NONE)
            tl.store(target + place, token.to(tl.int16), mask=lane < WINDOW)
            found += tl.histogram(token, BINS)
        block = picture * blocks + first // BLOCK
        kind = tl.arange(0, BINS)
        tl.atomic_add(counts + block * TOKENS + kind, found.to(tl.int64), mask=(kind < NONE) & (found > 0))


@triton.jit
def _tokens_of(
    source, place, lane, inside,
    WINDOW: tl.constexpr, LEAST: tl.constexpr, LITERALS: tl.constexpr, NONE: tl.constexpr,
):  # fmt: skip
    value = tl.load(source + place, mask=inside, other=0).to(tl.int32)
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
