"""Runs that write pictures and are killed at random moments."""

from __future__ import annotations

from pathlib import Path

from killed import found_by_script


def test_after_kills_the_pictures_are_those_of_an_undisturbed_run(tmp_path: Path, tiny_weights: Path) -> None:
    found = found_by_script("picture_kills.py", tmp_path / "kills", tiny_weights, 3)
    assert (found["kills"], found["same"], found["left"]) == (3, True, [])
