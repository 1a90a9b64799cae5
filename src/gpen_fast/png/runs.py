"""Runs of equal bytes as matches of distance 1 (RFC 1951, 3.2.5), and how often each token occurs.

A token is a literal byte (0..255), a match of 3..258 bytes (256 + its length) or nothing (NONE). The stream is cut
into windows of 258 bytes, the longest match. A match never crosses a window's end, but may begin at its start and
repeat the byte before it. So a long run costs one match for each window, and all windows are processed in parallel.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Bytes of a window.
WINDOW = 258
# Tokens below this are literal bytes; this plus a length is a match.
LITERALS = 256
# The token of a byte that a match covers, or that lies behind the stream's end: nothing is written for it.
NONE = LITERALS + WINDOW + 1
TOKENS = NONE + 1
# Bytes of the shortest match.
LEAST = 3
# Windows of a block, which has a Huffman code of its own: 64 KiB. On photographs 2 % smaller than one code for all.
BLOCK = 256
# Bytes that are processed together. The intermediate results take some 40 times as much memory.
_PART = 1 << 22
# Sets of counters of one block: on a GPU, additions to the same counter wait for each other.
_LANES = 32


def to_windows(stream: Tensor) -> Tensor:
    """Cuts (B,N) uint8 streams into (B,n,258) windows; zeros fill the last."""
    spare = -stream.shape[1] % WINDOW
    return torch.nn.functional.pad(stream, (0, spare)).view(stream.shape[0], -1, WINDOW)


def tokens_by_blocks(windows: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Tokenises streams block by block, in parts that bound the memory.

    Args:
        windows: (B,n,258) uint8.
        lengths: (B,) int64, bytes of each stream; tokens behind them are NONE.

    Returns:
        (K,256,258) int16 tokens of K blocks, equally many for each picture.
        (K,TOKENS) int64, how often each token occurs in each block.
    """
    batch, number, _ = windows.shape
    blocks = -(-number // BLOCK)
    shape = (batch, blocks * BLOCK, WINDOW)
    tokens = torch.full(shape, NONE, dtype=torch.int16, device=windows.device)
    counts = torch.empty(batch, blocks, TOKENS, dtype=torch.int64, device=windows.device)
    step = max(1, _PART // (batch * BLOCK * WINDOW))
    for first in range(0, blocks, step):
        part = slice(first * BLOCK, min(number, (first + step) * BLOCK))
        before = windows[:, part.start - 1, -1] if first else None
        tokens[:, part] = tokenise(windows[:, part], lengths - part.start * WINDOW, before)
        some = tokens[:, part.start : (first + step) * BLOCK].reshape(-1, BLOCK, WINDOW)
        counts[:, first : first + step] = count(some).view(batch, -1, TOKENS)
    return tokens.view(-1, BLOCK, WINDOW), counts.view(-1, TOKENS)


def tokenise(windows: Tensor, lengths: Tensor, preceding: Tensor | None = None) -> Tensor:
    """The token that begins at each byte.

    Args:
        windows: (B,n,258) uint8.
        lengths: (B,) int64, bytes from the first window on that belong to the stream; tokens behind them are NONE.
        preceding: (B,) uint8, the byte before the first window; None where there is none.

    Returns:
        (B,n,258) int16.
    """
    batch, number, _ = windows.shape
    place = torch.arange(WINDOW, device=windows.device, dtype=torch.int16)
    counts = _is_inside(lengths, number)
    before = torch.nn.functional.pad(windows.reshape(batch, -1), (1, 0))[:, :-1].view_as(windows)
    repeats = (windows == before) & counts  # (B,n,258) bool: equal to the byte before
    repeats[:, 0, 0] = False if preceding is None else counts[:, 0, 0] & (windows[:, 0, 0] == preceding)
    first, end = _run_bounds(repeats, place)
    covered = repeats & (end - first >= LEAST)
    match = torch.where(place == first, LITERALS + end - first, NONE)
    tokens = torch.where(covered, match, windows.short())
    return tokens.masked_fill(~counts, NONE)


def _is_inside(lengths: Tensor, number: int) -> Tensor:
    """(B,n,258) bool: whether a byte belongs to its stream."""
    at = torch.arange(number * WINDOW, device=lengths.device).view(number, WINDOW)
    return at < lengths.view(-1, 1, 1)


def _run_bounds(repeats: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """For each byte of a window: the first place of the run of repeats that it is in, and the place behind its last."""
    last_other = torch.where(repeats, -1, place).cummax(-1).values
    next_other = torch.where(repeats, WINDOW, place).flip(-1).cummin(-1).values.flip(-1)
    return last_other + 1, next_other


def count(tokens: Tensor) -> Tensor:
    """How often each token occurs: (B,n,258) int16 to (B,TOKENS) int64; 0 for NONE."""
    batch = tokens.shape[0]
    flat = tokens.reshape(batch, -1).long()
    lane = torch.arange(flat.shape[1], device=tokens.device) % _LANES
    counters = torch.zeros(batch, _LANES * TOKENS, dtype=torch.int64, device=tokens.device)
    counters.scatter_add_(1, flat + lane * TOKENS, torch.ones_like(flat))
    counts = counters.view(batch, _LANES, TOKENS).sum(1)
    counts[:, NONE] = 0
    return counts
