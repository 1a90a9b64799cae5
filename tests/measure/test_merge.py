"""One report of several processes."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from sides import process_of, report_with

from gpen_fast.measure.merge import merged_report
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import MemoryPeaks


def test_figures_are_of_all_runs_and_samples_stay_apart() -> None:
    rng = np.random.default_rng(0)
    processes = [process_of(number, rng) for number in range(3)]
    whole = report_with(*processes)
    apart = [
        replace(report_with(each), memory=MemoryPeaks(None, peak), first_call_ms=first, model_load_ms=None)
        for each, peak, first in zip(processes, (5, 7, 6), (90.0, 10.0, 20.0), strict=True)
    ]
    made = merged_report(apart)
    assert made.processes == processes
    assert (made.runs, made.images, made.faces) == (30, 30, 30)
    assert made.wall_ms == whole.wall_ms
    for row, wanted in zip(made.stages, whole.stages, strict=True):
        assert (row.count, row.host_ms) == (wanted.count, wanted.host_ms)
        assert row.total_ms == pytest.approx(wanted.total_ms, abs=1e-3)
        assert row.share == pytest.approx(wanted.share, abs=2e-3)
    assert made.memory == MemoryPeaks(None, 7)
    assert (made.first_call_ms, made.model_load_ms) == (20.0, None)
    assert made.verdict == "offline"
    assert Report.from_json(made.as_json()) == made


def test_one_report_keeps_its_figures() -> None:
    one = report_with(process_of(0, np.random.default_rng(1)))
    made = merged_report([one])
    assert (made.wall_ms, made.stages, made.processes) == (one.wall_ms, one.stages, one.processes)
    assert median(made.processes[0].wall_ms) == pytest.approx(made.wall_ms.median, abs=1e-3)
