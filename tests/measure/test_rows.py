"""Rows of a report's stage table."""

from __future__ import annotations

from reports import recorder_of, span_of

from gpen_fast.measure.rows import stage_rows
from gpen_fast.settings import STAGES


def test_first_call_stands_apart_unless_it_is_the_only_one() -> None:
    recorder = recorder_of(generate=900.0)
    assert stage_rows(recorder, 900.0, aligned=False, first_apart=True)[4].host_ms.mean == 900.0
    recorder.add(span_of("generate", 100.0))
    rows = stage_rows(recorder, 1000.0, aligned=False, first_apart=True)
    assert [row.name for row in rows] == list(STAGES)
    assert rows[4].host_ms.mean == 100.0
    assert rows[4].share == 1.0
    assert rows[4].count == 2


def test_stages_that_aligned_faces_do_not_need_are_skipped() -> None:
    rows = stage_rows(recorder_of(load=1.0), 1.0, aligned=True, first_apart=False)
    assert [row.name for row in rows if row.skipped] == ["detect", "align", "paste"]
    assert not any(row.skipped for row in stage_rows(recorder_of(), 0.0, aligned=False, first_apart=False))


def test_figures_are_rounded_as_a_report_holds_them() -> None:
    recorder = recorder_of(load=1 / 3)
    recorder.add_device(recorder.series["load"].spans[0], 2 / 3)
    load, detect, *_ = stage_rows(recorder, 1.0, aligned=False, first_apart=False)
    assert (load.host_ms.mean, load.device_ms.mean, load.share) == (0.3333, 0.6667, 0.3333)
    assert (detect.count, detect.host_ms, detect.device_ms, detect.share) == (0, None, None, 0.0)
