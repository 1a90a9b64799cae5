"""Rows of the ladder: their figures, the mark of those that lose quality, and those that were not measured."""

from __future__ import annotations

import math

import pytest

from gpen_fast.measure.ladder import RowTimes, advice_of, ladder_row, skipped_row

BASE = RowTimes(200.0, 1000)


def test_figures_are_relative_to_the_baseline() -> None:
    row = ladder_row("b", RowTimes(80.0, 650), BASE, [(60.0, 0.99), (50.0, 0.999)], ["said", "and this"])
    assert (row.ms, row.speedup, row.device_memory_saved) == (80.0, 2.5, 0.35)
    assert (row.psnr, row.ssim) == (50.0, 0.99), "of the picture that differs most"
    assert row.note == "said; and this"
    assert not row.loses_quality


def test_equal_pictures_have_no_psnr() -> None:
    row = ladder_row("b", RowTimes(80.0, None), RowTimes(100.0, None), [(math.inf, 1.0)] * 2, [])
    assert (row.psnr, row.ssim, row.device_memory_saved, row.note) == (None, 1.0, None, "")


@pytest.mark.parametrize(("db", "marked"), [(44.99, True), (45.0, False)])
def test_a_row_below_45_db_is_marked(db: float, marked: bool) -> None:
    row = ladder_row("b", BASE, BASE, [(db, 0.98), (70.0, 1.0)], ["bf16"])
    assert row.loses_quality is marked
    assert row.note == ("loses quality: 44.99 dB is below 45 dB; bf16" if marked else "bf16")


def test_a_row_that_was_not_measured_has_its_reason_and_no_figure() -> None:
    row = skipped_row("CUDA graphs", "this runs on cpu")
    assert row.note == "not measured: this runs on cpu"
    assert {row.ms, row.speedup, row.device_memory_saved, row.psnr, row.ssim} == {None}


def test_the_advice_names_no_row_that_loses_quality_or_has_no_likeness() -> None:
    def row(name: str, ms: float, likeness: list[tuple[float, float]]):
        return ladder_row(name, RowTimes(ms, None), BASE, likeness, [])

    rows = [
        row("base", 200, [(math.inf, 1.0)]),
        row("good", 100, [(50.0, 1.0)]),
        row("bad", 10, [(30.0, 0.9)]),
    ]
    rows += [row("unlike", 5, []), skipped_row("x", "y")]
    assert advice_of(rows) == ["the fastest row within 45 dB of the baseline is good: 2.0 times as fast."]
    assert advice_of(rows[:1]) == []
