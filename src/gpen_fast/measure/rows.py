"""A report's rows, from what the recorder holds."""

from __future__ import annotations

from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report_rows import StageRow
from gpen_fast.measure.spans import Series
from gpen_fast.measure.stats import DECIMALS

_SKIPPED_WHEN_ALIGNED = frozenset({"detect", "align", "paste"})


def stage_rows(recorder: Recorder, whole_ms: float, *, aligned: bool, first_apart: bool) -> list[StageRow]:
    """One row for each stage, in the pipeline's order, its figures rounded.

    Args:
        recorder: What was measured.
        whole_ms: The time that the shares are shares of, in milliseconds.
        aligned: Each picture was one aligned face: there is nothing to detect, align or paste.
        first_apart: The summaries leave each stage's first call out, unless it is the only one.
    """
    return [
        _row(
            stage,
            recorder.series[stage],
            whole_ms,
            skipped=aligned and stage in _SKIPPED_WHEN_ALIGNED,
            first_apart=first_apart,
        )
        for stage in recorder.series
    ]


def _row(stage: str, series: Series, whole_ms: float, *, skipped: bool, first_apart: bool) -> StageRow:
    device = series.device_summary(first_apart=first_apart)
    host = series.host_summary(first_apart=first_apart)
    return StageRow(
        name=stage,
        count=series.count,
        items=series.items,
        skipped=skipped,
        device_ms=device.rounded() if device else None,
        host_ms=host.rounded() if host else None,
        share=round(series.host.total / whole_ms, DECIMALS) if whole_ms else 0.0,
        total_ms=round(series.host.total, DECIMALS),
        device_total_ms=round(series.device.total, DECIMALS) if series.device.count else None,
    )
