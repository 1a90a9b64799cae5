"""Shares of a size's time."""

from __future__ import annotations

import pytest
from reports import recorder_of

from gpen_fast.measure.rows import stage_rows
from gpen_fast.measure.sweep import OUTSIDE, PARTS, shares_of
from gpen_fast.settings import STAGES


def test_every_stage_is_in_one_part_and_the_shares_add_up() -> None:
    assert sorted(stage for part in PARTS.values() for stage in part) == sorted(STAGES)
    recorder = recorder_of(load=10, detect=20, align=5, crop=5, generate=100, paste=15, save=25)
    shares = shares_of(stage_rows(recorder, 200.0, aligned=False, first_apart=False))
    assert shares == pytest.approx(
        {"load": 0.05, "detect_align": 0.125, "crop": 0.025, "network": 0.5, "paste_save": 0.2, OUTSIDE: 0.1}
    )
    assert list(shares) == [*PARTS, OUTSIDE]
