"""The published figures name rows, sizes and parts that exist, and agree with themselves where they can."""

from __future__ import annotations

import pytest

from gpen_fast.measure.published import LADDER_SOURCE, PUBLISHED_LADDER, PUBLISHED_SWEEP, SWEEP_SOURCE
from gpen_fast.measure.sweep import PARTS
from gpen_fast.run.ladder_steps import LADDER_STEPS
from gpen_fast.run.sweep import sizes_of


def test_each_figure_belongs_to_a_row_in_the_same_order() -> None:
    names = [step.name for step in LADDER_STEPS]
    assert [name for name in names if name in PUBLISHED_LADDER] == list(PUBLISHED_LADDER)
    assert [row.ms for row in PUBLISHED_LADDER.values()] == [828.4, 621.7, 472.3, 321.5, 218.6]
    assert sizes_of("256,512,1024,2048") == list(PUBLISHED_SWEEP)


def test_shares_are_under_the_names_of_the_parts_and_add_up() -> None:
    shares = PUBLISHED_SWEEP[512].shares
    assert shares is not None
    assert set(shares) < set(PARTS)
    assert sum(shares.values()) == pytest.approx(1.0, abs=0.002)
    for row in PUBLISHED_SWEEP.values():
        assert row.at_least or row.fps == pytest.approx(1e3 / row.mean_ms, abs=0.06)


def test_the_sentence_names_source_device_and_method() -> None:
    assert LADDER_SOURCE.sentence == (
        "published: optimisation ladder of GPEN-512, RTX 4090, PyTorch 2.5, CUDA 12.4; "
        "one 512x512 JPEG, torch.cuda.Event"
    )
    assert "A10G" in SWEEP_SOURCE.sentence
