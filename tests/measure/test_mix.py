"""Rows of a mix, and what its stages cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from reports import report_of

from gpen_fast.measure.mix import mix_row, stage_costs
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import MixRow


def row(faces: int, megapixels: float, runs: int = 2) -> MixRow:
    return MixRow("a.jpg", 1000, round(megapixels * 1000), megapixels, faces, runs, 9.0, 5.0, {"load": 1.0})


def test_a_row_holds_the_medians_of_the_counted_runs() -> None:
    made = mix_row(
        Path("in/a.jpg"), (1200, 800), 3, 90.0, [10.0, 30.0, 20.0],
        [{"save": 5.0, "load": 1.0}, {"load": 3.0, "save": 6.0}, {"load": 2.0, "save": 9.0}],
    )  # fmt: skip
    assert made == MixRow("in/a.jpg", 1200, 800, 0.96, 3, 3, 90.0, 20.0, {"load": 2.0, "save": 6.0})
    assert list(made.stages_ms) == ["load", "save"], "in the pipeline's order"


def test_costs_are_over_the_faces_and_pixels_of_all_runs_and_add_up() -> None:
    """Two pictures of 1 and 3 faces, 2 and 6 megapixels, two runs each: 8 faces and 16 megapixels."""
    stages = [replace(each, total_ms=80.0) for each in report_of().stages]
    costs = stage_costs(report_of(mix=[row(1, 2.0), row(3, 6.0)], stages=stages, unaccounted_ms=10.0))
    by_name = {cost.name: cost for cost in costs}
    load = by_name["load"]
    assert (load.per_picture_ms, load.per_face_ms, load.per_megapixel_ms) == (20.0, 10.0, 5.0)
    assert by_name["outside"].total_ms == 40.0
    assert costs[-1].name == "wall"
    assert costs[-1].total_ms == sum(cost.total_ms for cost in costs[:-1]) == pytest.approx(7 * 80 + 40)


def test_a_mix_without_faces_has_no_time_a_face() -> None:
    assert {cost.per_face_ms for cost in stage_costs(report_of(mix=[row(0, 1.0)]))} == {None}


def test_rows_are_read_back_from_json() -> None:
    report = report_of(mix=[row(1, 2.0)])
    assert Report.from_json(report.as_json()).mix == report.mix
