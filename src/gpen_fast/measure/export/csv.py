"""A report's table of stages as CSV, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from gpen_fast.measure.export.flat_rows import flat_rows
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import StageRow
from gpen_fast.measure.stats import Summary

_SUMMARY = ("mean", "median", "p95", "min", "max", "std")
# The unit is in the name; `share` is a part of 1.
CSV_COLUMNS = (
    "stage", "calls", "items", "skipped", "host_total_ms", *(f"host_{name}_ms" for name in _SUMMARY),
    "device_total_ms", *(f"device_{name}_ms" for name in _SUMMARY), "share",
)  # fmt: skip


def report_csv(report: Report) -> str:
    """One row for each stage, in the pipeline's order, under a row of names; the figures are those of the JSON.

    A figure that was not measured is an empty cell. A report of a run that had nothing to do gives the names alone. One
    of a ladder or a sweep gives the rows of that, under the keys of the JSON.
    """
    if rows := report.ladder or report.sweep:
        return _text(*flat_rows(rows))
    return _text(CSV_COLUMNS, [_cells(row) for row in report.stages])


def _text(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def _cells(row: StageRow) -> list[object]:
    return [
        row.name, row.count, row.items, str(row.skipped).lower(), row.total_ms, *_figures(row.host_ms),
        row.device_total_ms, *_figures(row.device_ms), row.share,
    ]  # fmt: skip


def _figures(summary: Summary | None) -> list[float | None]:
    return [getattr(summary, name) if summary else None for name in _SUMMARY]
