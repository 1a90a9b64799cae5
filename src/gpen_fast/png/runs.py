"""Runs of equal bytes as matches of distance 1 (RFC 1951, 3.2.5), and how often each token occurs.

A token is a literal byte (0..255), a match of 3..258 bytes (256 + its length) or nothing (NONE). The stream is cut
into windows of 258 bytes, the longest match; a match never crosses a window's end but may begin at its start, with
the byte before it. So a long run costs one match a window, and all windows are looked at together.
"""

from __future__ import annotations

import torch
from torch import Tensor

WINDOW = 258
LITERALS = 256
NONE = LITERALS + WINDOW + 1
TOKENS = NONE + 1
LEAST = 3
# Counters of one picture: additions to the same one wait for each other on a GPU.
_LANES = 32


def to_windows(stream: Tensor) -> Tensor:
    """(B,N) uint8 as (B,n,258), zeros after its end."""
    spare = -stream.shape[1] % WINDOW
    return torch.nn.functional.pad(stream, (0, spare)).view(stream.shape[0], -1, WINDOW)


def tokenise(windows: Tensor, lengths: Tensor) -> Tensor:
    """The token that begins at each byte: (B,n,258) int16.

    windows: (B,n,258) uint8. lengths: (B,) int64, the bytes that count; NONE after them.
    """
    batch, number, _ = windows.shape
    place = torch.arange(WINDOW, device=windows.device, dtype=torch.int16)
    counts = _is_inside(lengths, number)
    before = torch.nn.functional.pad(windows.view(batch, -1), (1, 0))[:, :-1].view_as(windows)
    repeats = (windows == before) & counts
    repeats[:, 0, 0] = False
    first, end = _run_bounds(repeats, place)
    covered = repeats & (end - first >= LEAST)
    match = torch.where(place == first, LITERALS + end - first, NONE)
    tokens = torch.where(covered, match, windows.short())
    return tokens.masked_fill(~counts, NONE)


def _is_inside(lengths: Tensor, number: int) -> Tensor:
    """(B,n,258) bool: whether a byte stands before its picture's end."""
    at = torch.arange(number * WINDOW, device=lengths.device).view(number, WINDOW)
    return at < lengths.view(-1, 1, 1)


def _run_bounds(repeats: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """Within the window, where the run of repeats around each of its bytes begins, and where it has ended."""
    last_other = torch.where(repeats, -1, place).cummax(-1).values
    next_other = torch.where(repeats, WINDOW, place).flip(-1).cummin(-1).values.flip(-1)
    return last_other + 1, next_other


def count(tokens: Tensor) -> Tensor:
    """(B,n,258) tokens to (B,TOKENS) int64, how often each occurs."""
    batch = tokens.shape[0]
    flat = tokens.reshape(batch, -1).long()
    lane = torch.arange(flat.shape[1], device=tokens.device) % _LANES
    counters = torch.zeros(batch, _LANES * TOKENS, dtype=torch.int64, device=tokens.device)
    counters.scatter_add_(1, flat + lane * TOKENS, torch.ones_like(flat))
    return counters.view(batch, _LANES, TOKENS).sum(1)
