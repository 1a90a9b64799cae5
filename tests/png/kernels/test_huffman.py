"""Code lengths and codes are those of torch operations, also where the limit of bits is reached."""

from __future__ import annotations


def test_lengths_and_codes_of_hard_histograms(failures_of: dict[str, str]) -> None:
    assert failures_of["huffman"] == ""
