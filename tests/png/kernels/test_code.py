"""The words, heads and sizes of blocks are those of torch operations."""

from __future__ import annotations


def test_words_head_and_bits_of_each_block(failures_of: dict[str, str]) -> None:
    assert failures_of["code"] == ""
