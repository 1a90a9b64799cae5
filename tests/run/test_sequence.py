"""Frames that are numbered together are told from single pictures."""

from __future__ import annotations

from gpen_fast.run.sequence import numbered_together


def test_names_that_differ_in_numbers_only_are_numbered_together() -> None:
    film = ["a/f_001.png", "a/f_002.png", "a/f_10.jpg"]
    others = ["a/title.png", "a/g_1.png", "b/f_001.png", "b/title.png"]
    assert numbered_together([*film, *others]) == set(film)


def test_one_picture_named_twice_is_no_sequence() -> None:
    assert numbered_together(["f_1.png", "f_1.png"]) == set()
