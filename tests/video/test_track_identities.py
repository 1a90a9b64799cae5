"""Two of the clips of benchmarks/identities.py: one walks behind another, and a cut shows another in the same place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from scenes import SCENES, Identities, identities

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from identities import made, tracks


@pytest.mark.parametrize(
    ("scene", "frames", "cuts"), [("walk behind", 60, []), ("cut to another in the same place", 12, [6])]
)
def test_nobody_is_taken_for_another(scene: str, frames: int, cuts: list[int]) -> None:
    clean = list(SCENES[scene].frames(frames, 270))
    found, cut = tracks(made(clean, "h264"))
    assert cut == cuts
    result = identities(clean, found)
    assert (result.swaps, result.ghosts, result.missed) == (0, 0, 0)
    assert sorted(map(len, result.tracks.values())) == [1, 1]


def test_swaps_and_ghosts_would_be_counted() -> None:
    clean = list(SCENES["cut there and back"].frames(9, 90))
    first, second = clean[0].landmarks["grace_hopper.jpg"], clean[4].landmarks["astronaut.png"]
    ghost = [[(0, first)]] * 3 + [[(1, second), (0, first)]] * 3 + [[(2, first)]] * 3
    assert identities(clean, ghost) == Identities(
        {"grace_hopper.jpg": [0, 2], "astronaut.png": [1]}, swaps=0, ghosts=3, missed=0, expected=9
    )
    swap = [[(0, first)]] * 3 + [[(0, second)]] * 3 + [[]] * 3
    found = identities(clean, swap)
    assert (found.swaps, found.ghosts, found.missed) == (1, 0, 3)
