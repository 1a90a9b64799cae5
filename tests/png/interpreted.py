"""The kernels against the torch operations, run by Triton's interpreter: `TRITON_INTERPRET=1 python interpreted.py`.

A process of its own, since Triton reads the variable when it is first imported.
"""

from __future__ import annotations

import numpy as np
import torch

from gpen_fast.png.encode import encode_pngs
from gpen_fast.png.filter import filter_rows_by_torch
from gpen_fast.png.kernels.filter import filter_rows
from gpen_fast.png.kernels.pack import write_tokens
from gpen_fast.png.kernels.runs import tokens_by_blocks
from gpen_fast.png.pack import write_tokens_by_torch
from gpen_fast.png.runs import to_windows, tokens_by_torch
from gpen_fast.png.tables import make_code


def mixed(batch: int, size: int) -> torch.Tensor:
    """Streams with noise, small numbers and runs of all lengths."""
    rng = np.random.default_rng(size)
    small = np.minimum(rng.geometric(0.4, (batch, size)), 40)
    small[:, size // 4 : size // 2] = 7
    small[:, size // 2 : size // 2 + 300] = rng.integers(0, 256, small[:, size // 2 : size // 2 + 300].shape)
    return torch.from_numpy(small.astype(np.uint8))


def compare_filters() -> None:
    for batch, height, length, step in ((1, 3, 7, 1), (2, 4, 300, 3), (1, 2, 1100, 8), (1, 1, 1, 2)):
        rows = torch.randint(-3, 4, (batch, height, length)).cumsum(1).remainder(256).to(torch.uint8)
        rows[:, ::3] = torch.randint(0, 256, rows[:, ::3].shape).to(torch.uint8)
        rows[:, 2:3] = rows[:, 1:2]
        assert torch.equal(filter_rows(rows, step), filter_rows_by_torch(rows, step)), (
            batch,
            height,
            length,
            step,
        )


def compare_runs_and_bits() -> None:
    for batch, size, lengths in ((1, 1, [1]), (2, 1600, [1600, 700])):
        windows = to_windows(mixed(batch, size))
        counted = torch.tensor(lengths)
        tokens, counts = tokens_by_torch(windows, counted)
        found, found_counts = tokens_by_blocks(windows, counted)
        assert torch.equal(found, tokens)
        assert torch.equal(found_counts, counts)
        compare_bits(tokens, counts, batch)


def compare_bits(tokens: torch.Tensor, counts: torch.Tensor, batch: int) -> None:
    table = make_code(counts, torch.ones(len(counts), dtype=torch.bool)).tokens
    picture = torch.arange(batch).repeat_interleave(len(tokens) // batch).view(-1, 1, 1)
    for each in (3_000, 40):  # the second has no room for all
        at = torch.full((len(tokens), 1, 1), 13)
        words, by_torch = (torch.zeros(batch * each, dtype=torch.int64) for _ in range(2))
        ends = write_tokens(words, tokens, table, at, picture * each, each - 2)
        assert torch.equal(ends, write_tokens_by_torch(by_torch, tokens, table, at, picture * each, each - 2))
        inside = torch.arange(batch * each).view(batch, each)[:, : each - 2]
        assert torch.equal(words[inside], by_torch[inside])


def compare_files() -> None:
    pixels = torch.randint(0, 3, (2, 3, 5, 50)).cumsum(3).to(torch.uint8)
    pixels[1, 1:] = pixels[1, :1]
    wanted = encode_pngs(pixels)
    for module in ("filter", "runs", "pack"):
        __import__(f"gpen_fast.png.{module}", fromlist=["usable"]).usable = lambda tensor: True
    assert encode_pngs(pixels) == wanted


if __name__ == "__main__":
    torch.manual_seed(1)
    compare_filters()
    compare_runs_and_bits()
    compare_files()
