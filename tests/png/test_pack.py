"""Words of bits stand one behind the other; what lies beyond a picture's room is dropped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpen_fast.png import pack as pack_module
from gpen_fast.png.pack import pack
from gpen_fast.png.tables import BlockCode, Words


def words(rng: np.random.Generator, shape: tuple[int, ...], most: int) -> Words:
    widths = torch.from_numpy(rng.integers(0, most + 1, shape))
    values = torch.from_numpy(rng.integers(0, 1 << most, shape)) & ((1 << widths) - 1)
    return Words(values, widths)


def bits_of(given: Words) -> str:
    """The words' bits in the order in which they are written."""
    pairs = zip(given.values.flatten().tolist(), given.widths.flatten().tolist(), strict=True)
    return "".join(format(value, "b").zfill(width)[::-1] if width else "" for value, width in pairs)


def blocks(number: int) -> tuple[torch.Tensor, BlockCode, list[str]]:
    """Tokens and codes of some blocks, and the bits that these are."""
    rng = np.random.default_rng(number)
    tokens = torch.from_numpy(rng.integers(0, 9, (number, 4, 7)).astype(np.int16))
    code = BlockCode(words(rng, (number, 9), 21), words(rng, (number, 5), 17), words(rng, (number, 1), 15))
    lines = []
    for block in range(number):
        index = tokens[block].flatten().long()
        body = Words(code.tokens.values[block, index], code.tokens.widths[block, index])
        parts = [Words(part.values[block], part.widths[block]) for part in (code.head, code.end)]
        lines.append(bits_of(parts[0]) + bits_of(body) + bits_of(parts[1]))
    return tokens, code, lines


def bits_in(data: torch.Tensor) -> str:
    return "".join(format(byte, "08b")[::-1] for byte in data.tolist())


@pytest.mark.parametrize("part", [1, 1 << 22])
def test_every_bit_is_where_it_belongs(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_module, "_PART", part)
    tokens, code, lines = blocks(4)
    starts = torch.tensor([[16, 16 + len(lines[0])], [3, 3 + len(lines[2])]])
    found = pack(tokens, code, starts, 600)
    for row, start, bits in zip(found, (16, 3), (lines[0] + lines[1], lines[2] + lines[3]), strict=True):
        assert bits_in(row) == ("0" * start + bits).ljust(600 * 8, "0")


def test_bits_beyond_the_room_are_dropped_and_reach_no_other_picture() -> None:
    tokens, code, lines = blocks(2)
    found = pack(tokens, code, torch.tensor([[0], [0]]), 9)
    for row, bits in zip(found, lines, strict=True):
        assert len(bits) > 9 * 8
        assert bits_in(row) == bits[: 9 * 8]
