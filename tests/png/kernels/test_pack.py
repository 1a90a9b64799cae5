"""The bits of several blocks and pictures are those of torch operations."""

from __future__ import annotations


def test_bits_of_blocks_of_two_pictures(failures_of: dict[str, str]) -> None:
    assert failures_of["pack"] == ""
