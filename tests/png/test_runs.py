"""Runs become one literal and matches; tokens are counted block by block."""

from __future__ import annotations

import numpy as np
import torch

from gpen_fast.png.runs import BLOCK, NONE, TOKENS, WINDOW, count, to_windows, tokenise, tokens_by_blocks


def stream_of(part: bytes) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(np.frombuffer(part, np.uint8).copy())[None], torch.tensor([len(part)])


def some(size: int, symbols: int) -> bytes:
    rng = np.random.default_rng(0)
    return np.minimum(rng.geometric(0.3, size), symbols).astype(np.uint8).tobytes()


def expanded(tokens: list[int]) -> bytes:
    made = bytearray()
    for token in tokens:
        if token < 256:
            made.append(token)
        elif token < NONE:
            made += made[-1:] * (token - 256)
    return bytes(made)


def test_runs_are_one_literal_and_matches() -> None:
    part = b"x" + b"y" * 4 + b"zz" + b"a" * 600 + some(500, 3) + b"\0\0\0\0\0\0"
    data, lengths = stream_of(part)
    tokens = tokenise(to_windows(data), lengths)
    listed = tokens.flatten().tolist()
    assert expanded(listed) == part
    assert listed[:3] == [ord("x"), ord("y"), 256 + 3]
    assert listed[5:8] == [ord("z"), ord("z"), ord("a")]
    assert 256 + WINDOW in listed
    assert count(tokens)[0].tolist() == [*np.bincount(listed, minlength=NONE + 1)[:NONE], 0]


def test_blocks_are_tokenised_as_if_the_stream_were_whole() -> None:
    part = some(2 * BLOCK * WINDOW + 77, 3)
    windows, lengths = to_windows(stream_of(part)[0]), torch.tensor([len(part)])
    tokens, counts = tokens_by_blocks(windows, lengths)
    whole = tokenise(windows, lengths)[0]
    assert tokens.shape == (3, BLOCK, WINDOW)
    assert counts.shape == (3, TOKENS)
    assert torch.equal(tokens.flatten(0, 1)[: len(whole)], whole)
    assert (tokens.flatten(0, 1)[len(whole) :] == NONE).all()
    assert torch.equal(counts, count(tokens))
