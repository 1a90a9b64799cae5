"""Series by stage."""

from __future__ import annotations

from reports import span_of

from gpen_fast.measure.recorder import Recorder
from gpen_fast.settings import STAGES


def test_every_stage_has_a_series_in_the_pipelines_order() -> None:
    assert tuple(Recorder().series) == STAGES


def test_totals_are_of_the_named_stages_or_of_all() -> None:
    recorder = Recorder()
    for stage, ms in (("load", 2.0), ("load", 3.0), ("save", 10.0)):
        recorder.add(span_of(stage, ms))
    assert recorder.total_host_ms("load") == 5.0
    assert recorder.total_host_ms("load", "save") == recorder.total_host_ms() == 15.0
    assert recorder.total_host_ms("detect") == 0.0


def test_device_times_go_to_their_stage() -> None:
    recorder = Recorder()
    span = span_of("paste", 1.0)
    recorder.add(span)
    recorder.add_device(span, 4.0)
    assert recorder.series["paste"].device.total == 4.0
    assert recorder.series["crop"].device.count == 0


def test_stages_keep_a_bounded_number_of_spans_each() -> None:
    recorder = Recorder(spans_kept=4, seed=0)
    for _ in range(100):
        recorder.add(span_of("load", 1.0))
        recorder.add(span_of("save", 1.0))
    kept = {stage: len(series.spans) for stage, series in recorder.series.items() if series.count}
    assert kept == {"load": 5, "save": 5}  # the first call, and four of the others
