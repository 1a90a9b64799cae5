"""The table of stages as CSV."""

from __future__ import annotations

import csv
import io

from reports import report_of

from gpen_fast.measure.export.csv import CSV_COLUMNS, report_csv
from gpen_fast.measure.report import Report
from gpen_fast.settings import STAGES


def rows_of(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv(report))))


def test_a_row_a_stage_with_the_figures_of_the_json() -> None:
    report = report_of()
    rows = rows_of(report)
    assert [row["stage"] for row in rows] == list(STAGES)
    for row, stage in zip(rows, report.stages, strict=True):
        assert stage.host_ms is not None
        assert float(row["host_mean_ms"]) == stage.host_ms.mean
        assert float(row["host_p95_ms"]) == stage.host_ms.p95
        assert float(row["host_total_ms"]) == stage.total_ms
        assert float(row["share"]) == stage.share
        assert (int(row["calls"]), int(row["items"]), row["skipped"]) == (stage.count, stage.items, "false")
        assert row["device_mean_ms"] == row["device_total_ms"] == "", "not measured on a CPU"
    assert all(name.endswith("_ms") for name in CSV_COLUMNS if name.startswith(("host", "device")))


def test_a_report_that_was_read_back_gives_the_same() -> None:
    report = report_of()
    assert report_csv(Report.from_json(report.as_json())) == report_csv(report)


def test_a_run_that_had_nothing_to_do_gives_the_names_alone() -> None:
    assert report_csv(Report("enhance", "0.1.0")) == ",".join(CSV_COLUMNS) + "\n"
