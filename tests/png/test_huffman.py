"""Code lengths are optimal under their limit and complete; codes are those of RFC 1951."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gpen_fast.png.huffman import canonical_codes, code_lengths


def least_cost(counts: list[int], limit: int) -> int:
    """Bits of an optimal limited code, by the coin collector's problem with the coins as lists of symbols."""
    coins = sorted((count, [symbol]) for symbol, count in enumerate(counts) if count)
    packages: list[tuple[int, list[int]]] = []
    for _ in range(limit):
        merged = sorted(coins + packages, key=lambda coin: coin[0])
        pairs = zip(merged[::2], merged[1::2], strict=False)
        packages = [(one[0] + two[0], one[1] + two[1]) for one, two in pairs]
    taken = packages[: len(coins) - 1]
    return sum(weight for weight, _ in taken)


def fibonacci(number: int) -> list[int]:
    found = [1, 1]
    while len(found) < number:
        found.append(found[-1] + found[-2])
    return found


def assert_optimal(counts: list[int], limit: int) -> torch.Tensor:
    lengths = code_lengths(torch.tensor([counts]), limit)[0]
    used = [(count, int(length)) for count, length in zip(counts, lengths, strict=True) if count]
    assert all(1 <= length <= limit for _, length in used)
    assert not [length for count, length in zip(counts, lengths, strict=True) if not count and length]
    assert sum(2 ** (limit - length) for _, length in used) == 2**limit, "Kraft's sum is 1"
    assert sum(count * length for count, length in used) == least_cost(counts, limit)
    return lengths


@pytest.mark.parametrize(
    ("counts", "limit"),
    [
        ([1, 1], 15),
        ([0, 5, 0, 1], 15),
        (fibonacci(40), 15),
        (fibonacci(40)[::-1] + [0] * 246, 15),
        (fibonacci(19), 7),
        ([1] * 286, 15),
        ([1] * 285 + [10**9], 15),
        ([2**power for power in range(30)], 15),
        ([1] * 19, 7),
    ],
)
def test_hard_histograms(counts: list[int], limit: int) -> None:
    assert_optimal(counts, limit)


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.integers(2, 286).flatmap(
        lambda number: st.lists(st.integers(0, 10**6), min_size=number, max_size=number)
    ),
    st.sampled_from([9, 12, 15]),
)
def test_random_histograms(counts: list[int], limit: int) -> None:
    counts[0] += 1
    counts[-1] += 1
    assert_optimal(counts, limit)


def test_many_histograms_at_once_are_as_each_alone() -> None:
    rng = np.random.default_rng(3)
    counts = torch.from_numpy((rng.zipf(1.3, (20, 286)) % 5000).astype(np.int64) + 1)
    counts[5, 7:] = 0
    together = code_lengths(counts, 15)
    for one, lengths in zip(counts, together, strict=True):
        assert torch.equal(code_lengths(one[None], 15)[0], lengths)


def test_nothing_that_occurs_gives_no_code() -> None:
    assert not code_lengths(torch.tensor([[0, 0, 1, 0]]), 15).any()


def test_codes_of_the_rfcs_example() -> None:
    """RFC 1951, 3.2.2: lengths 3,3,3,3,3,2,4,4 for A to H."""
    lengths = torch.tensor([[3, 3, 3, 3, 3, 2, 4, 4]])
    codes = canonical_codes(lengths, 15)[0].tolist()
    said = ["010", "011", "100", "101", "110", "00", "1110", "1111"]
    assert [format(code, "b").zfill(len(bits))[::-1] for code, bits in zip(codes, said, strict=True)] == said
