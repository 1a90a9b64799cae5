"""The table of stages: its printed rows add up to its printed last row."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from reports import recorder_of, report_of, span_of
from rich.console import Console

from gpen_fast.cli.stage_table import enhance_table, profile_table
from gpen_fast.measure.rows import stage_rows
from gpen_fast.settings import STAGES


def printed(table: object, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """Returns the printed cells of each row by the name of its stage."""
    Console(width=80, highlight=False).print(table)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    return {line.split()[0]: line.split()[1:] for line in lines}


def share_of(cells: list[str]) -> float:
    return next(float(cell.rstrip("%")) for cell in cells if cell.endswith("%"))


@pytest.mark.parametrize("calls", [1, 2, 7])
def test_rows_of_enhance_add_up_to_the_last(calls: int, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(**{stage: 9876.5 + 1.5 * place for place, stage in enumerate(STAGES)})
    for call in range(1, calls):
        for place, stage in enumerate(STAGES):
            recorder.add(span_of(stage, 3.337 * call + 7.773 * place))
    total = recorder.total_host_ms()
    stages = stage_rows(recorder, total, aligned=False, first_apart=True)
    cells = printed(enhance_table(replace(report_of(), stages=stages)), capsys)
    everything = cells.pop("all")
    assert cells.pop("stage") == ["calls", "total", "s", "ms", "a", "call", "share"]
    assert sum(float(row[1]) for row in cells.values()) == pytest.approx(float(everything[0]), abs=1e-9)
    assert float(everything[0]) == pytest.approx(total / 1e3, abs=0.04)
    assert sum(share_of(row) for row in cells.values()) == pytest.approx(100.0, abs=1e-9)
    for name, row in cells.items():
        # With two calls, too, the mean is of both.
        assert float(row[2]) * calls == pytest.approx(recorder.total_host_ms(name), abs=0.01 * calls)


def test_rows_of_profile_and_what_is_outside_add_up_to_the_wall_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = recorder_of(**{stage: 3.337 + 1.111 * place for place, stage in enumerate(STAGES)})
    wall = recorder.total_host_ms() + 0.777
    stages = stage_rows(recorder, wall, aligned=False, first_apart=False)
    report = replace(report_of(), runs=1, stages=stages, unaccounted_ms=0.777)
    cells = printed(profile_table(report), capsys)
    last = cells.pop("wall")
    assert cells.pop("stage") == ["mean", "ms", "median", "p95", "share"]
    assert sum(float(row[0]) for row in cells.values()) == pytest.approx(float(last[0]), abs=1e-9)
    assert float(last[0]) == pytest.approx(wall, abs=0.05)
    assert sum(share_of(row) for row in cells.values()) == pytest.approx(100.0, abs=1e-9)


def test_device_times_have_a_column_only_where_there_are_some(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(load=4.0, generate=6.0)
    recorder.add_device(recorder.series["generate"].spans[0], 5.0)
    stages = stage_rows(recorder, 10.0, aligned=True, first_apart=True)
    report = replace(report_of(), stages=stages)
    for table in (enhance_table(report), profile_table(report)):
        cells = printed(table, capsys)
        assert "device" in cells["stage"]
        assert "5.00" in cells["generate"]
        assert cells["detect"] == ["skipped"]
    cells = printed(enhance_table(report_of()), capsys)
    assert "device" not in cells["stage"]


def test_several_faces_in_a_call_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(load=4.0)
    recorder.add(span_of("generate", 6.0, items=8))
    table = enhance_table(
        replace(report_of(), stages=stage_rows(recorder, 10.0, aligned=True, first_apart=True))
    )
    Console(width=80, highlight=False).print(table)
    out = capsys.readouterr().out
    assert re.search(r"^load +1 +0\.00 +4\.00 +40\.0% ", out, re.MULTILINE)
    assert re.search(r"^generate +8 in 1 +0\.01 +6\.00 +60\.0% ", out, re.MULTILINE)
