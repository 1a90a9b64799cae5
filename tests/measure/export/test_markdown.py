"""The table of stages in Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from reports import report_of

from gpen_fast.measure.export.markdown import markdown_rows, report_markdown
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import IdleRow, MixRow
from gpen_fast.settings import STAGES


def table_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_profile_adds_up_to_its_wall_time() -> None:
    stages = [replace(row, total_ms=4.0, share=4.0 / 30) for row in report_of().stages]
    text = report_markdown(report_of(stages=stages, unaccounted_ms=1.0))
    names, rule, *rows = table_of(text)
    assert names == ["stage", "mean ms", "median ms", "p95 ms", "share"]
    assert rule == ["---", "---:", "---:", "---:", "---:"]
    assert [row[0] for row in rows] == [*STAGES, "outside", "wall"]
    assert sum(float(row[1]) for row in rows[:-1]) == pytest.approx(float(rows[-1][1])) == 15.0
    first = text.splitlines()[0]
    for words in (
        "`gpen-fast profile` on cpu, 2 threads",
        "gpen-bfr-512 (folded, fp32)",
        "detector lite",
        "batch 1",
    ):
        assert words in first


def test_enhance_names_the_wall_time_and_what_the_network_waited_for() -> None:
    report = report_of(
        command="enhance",
        images=4,
        faces=5,
        throughput_per_s=2.5,
        idle=[IdleRow("network", 0.4, {"load": 0.3, "other": 0.1})],
    )
    text = report_markdown(report)
    assert re.search(r"4 pictures, 5 faces in 0\.0[12] s, 2\.50 a second\.", text)
    assert "The network was idle 40.0% of the time: load 30.0%, other 10.0%." in text
    names, _, *rows = table_of(text)
    assert names == ["stage", "calls", "items", "total s", "ms a call", "share"]
    assert rows[-1][0] == "all"
    assert rows[0] == ["load", "1", "1", "0.01", "6.50", "6.5%"]


def test_device_times_have_a_column_of_their_own() -> None:
    stages = [replace(row, device_total_ms=8.0, count=4) if row.name == "generate" else row
              for row in report_of().stages]  # fmt: skip
    names, _, *rows = table_of(report_markdown(report_of(command="enhance", stages=stages)))
    assert names[5] == "device ms a call"
    assert {row[0]: row[5] for row in rows} == dict.fromkeys((*STAGES, "all"), "-") | {
        "generate": "2.00",
        "all": "",
    }
    assert len({len(row) for row in rows}) == 1


def test_a_mix_has_a_row_a_picture_and_means_of_a_picture() -> None:
    mix = [
        MixRow(f"in/{name}", 1000, 500, 0.5, 2, 3, 40.0, 15.0, {"load": 1.0, "save": 2.0})
        for name in ("a|b.jpg", "c.jpg")
    ]
    stages = [replace(row, total_ms=60.0) for row in report_of().stages]
    text = report_markdown(report_of(mix=mix, images=6, runs=3, stages=stages))
    assert "3 passes over 2 pictures after 1 warm-up" in text
    assert "| in/a\\|b.jpg | 0.50 | 2 | 15.00 | 1.00 | 2.00 |" in text
    assert "| load | 10.00 |" in text, "60 ms in 6 runs"


def test_skipped_stages_and_runs_without_work_say_so() -> None:
    stages = [replace(row, skipped=row.name == "detect") for row in report_of().stages]
    rows = table_of(report_markdown(report_of(stages=stages)))
    assert ["detect", "skipped", "", "", "6.5%"] in rows
    assert report_markdown(Report("enhance", "0.1.0")) == "`gpen-fast enhance`: nothing was restored.\n"


def test_a_report_that_was_read_back_gives_the_same() -> None:
    report = report_of()
    assert report_markdown(Report.from_json(report.as_json())) == report_markdown(report)


def test_a_cell_cannot_end_its_row() -> None:
    assert list(markdown_rows(["a", "b"], [["x|y\nz", 1]])) == [
        "| a | b |",
        "| --- | ---: |",
        "| x\\|y z | 1 |",
    ]
