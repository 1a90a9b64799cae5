"""Blocks are stored where that takes no more bits, and begin behind one another."""

from __future__ import annotations


def test_places_sizes_and_the_choice_of_stored_blocks(failures_of: dict[str, str]) -> None:
    assert failures_of["layout"] == ""
