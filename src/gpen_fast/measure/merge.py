"""One report of several processes of `profile`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from gpen_fast.measure.advice import advise, frame_verdict
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import MemoryPeaks
from gpen_fast.measure.report_rows import StageRow
from gpen_fast.measure.stats import DECIMALS, Summary, rounded, summarise


def merged_report(reports: Sequence[Report]) -> Report:
    """The report of all processes together: their runs counted as one list, their samples kept apart.

    Args:
        reports: Of `profile` with samples, all of the same picture and settings; one and more.

    Returns:
        The first report with the figures of all: sums of counts, summaries of all samples, the highest peaks of memory,
        and the median of what a process has once, such as the time of its first run.
    """
    first = reports[0]
    processes = [each for report in reports for each in report.processes]
    wall = [ms for process in processes for ms in process.wall_ms]
    runs = sum(report.runs or 0 for report in reports)
    summary = _summary(wall)
    assert summary is not None, "a profile has one run at least"
    made = replace(
        first,
        images=sum(report.images for report in reports),
        faces=sum(report.faces for report in reports),
        runs=runs,
        first_call_ms=_median([report.first_call_ms for report in reports]),
        stages=[_stage(reports, at) for at in range(len(first.stages))],
        wall_ms=summary,
        unaccounted_ms=_median([report.unaccounted_ms for report in reports]),
        throughput_per_s=_median([report.throughput_per_s for report in reports]),
        memory=_peaks(reports),
        model_load_ms=_median([report.model_load_ms for report in reports]),
        processes=processes,
    )
    return replace(made, verdict=frame_verdict(summary.p95, made.target_fps or 30.0), advice=[advise(made)])


def _stage(reports: Sequence[Report], at: int) -> StageRow:
    """One stage of all reports."""
    rows = [report.stages[at] for report in reports]
    name, processes = rows[0].name, [each for report in reports for each in report.processes]
    return replace(
        rows[0],
        count=sum(row.count for row in rows),
        items=sum(row.items for row in rows),
        device_ms=_summary([ms for each in processes for ms in each.device_ms.get(name, [])]),
        host_ms=_summary([ms for each in processes for ms in each.host_ms.get(name, [])]),
        share=round(sum(row.share for row in rows) / len(rows), DECIMALS),
        total_ms=rounded(sum(row.total_ms or 0.0 for row in rows)),
        device_total_ms=_sum([row.device_total_ms for row in rows]),
    )


def _peaks(reports: Sequence[Report]) -> MemoryPeaks:
    peaks = [report.memory for report in reports if report.memory]
    device = [each.device_peak_bytes for each in peaks if each.device_peak_bytes is not None]
    host = [each.host_peak_bytes for each in peaks if each.host_peak_bytes is not None]
    return MemoryPeaks(max(device, default=None), max(host, default=None))


def _summary(times: Sequence[float]) -> Summary | None:
    summary = summarise(times)
    return summary.rounded() if summary else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return rounded(median(known)) if known else None


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return rounded(sum(known)) if known else None
