"""Frames that are numbered together are told from single pictures."""

from __future__ import annotations

from pathlib import Path

from gpen_fast.run.sequence import numbered_together


def test_names_that_differ_in_numbers_only_are_numbered_together() -> None:
    film = [Path("a/f_001.png"), Path("a/f_002.png"), Path("a/f_10.jpg")]
    others = [Path("a/title.png"), Path("a/g_1.png"), Path("b/f_001.png"), Path("b/title.png")]
    assert numbered_together([*film, *others]) == set(film)


def test_one_picture_named_twice_is_no_sequence() -> None:
    assert numbered_together([Path("f_1.png"), Path("f_1.png")]) == set()
