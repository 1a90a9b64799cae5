"""Live runs from a source to a sink: what is handed out, what is counted, and every way in which they end."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from live_ends import ListSink, ListSource

from gpen_fast.errors import VideoError
from gpen_fast.run.pipeline import Pipeline


def test_frames_are_restored_and_handed_out_in_their_order(play, passing) -> None:
    report, sink = play(ListSource(passing, rate=2, gap=0.02))
    figures = report.live
    assert (figures.delivered, figures.delivered + figures.dropped) == (len(sink.frames), len(passing))
    assert sink.seconds == sorted(set(sink.seconds))
    assert sink.seconds[0] == 0.0
    assert report.images == figures.delivered
    assert report.faces == figures.delivered
    assert figures.tracks == 1
    assert (figures.source_fps, figures.target_fps, figures.max_latency_ms) == (2.0, 2.0, 20_000.0)
    latency = figures.latency_ms
    assert 0 < latency.p50 <= latency.p95 <= latency.p99 <= latency.max
    assert list(figures.steps) == ["tiny"]
    assert figures.steps["tiny"] == pytest.approx(figures.duration_s, abs=0.001)
    assert (report.verdict, report.outcomes["restored"]) == ("live", 1)
    calls = {row.name: row.count for row in report.stages}
    assert calls["track"] == calls["load"] >= calls["encode"] == figures.delivered
    # The faces changed, and nothing but the faces.
    last, first = sink.frames[-1].astype(int), passing[-1].astype(int)
    changed = np.abs(last - first).max(axis=-1) > 0
    assert 0.001 < changed.mean() < 0.5


def test_a_burst_of_frames_is_dropped_but_for_the_latest(play, passing) -> None:
    """All forty arrive at once: latency is that of a few frames, not of forty."""
    report, sink = play(ListSource(passing, gap=0.0))
    assert report.live.dropped > 20
    assert report.live.delivered + report.live.dropped == 40
    assert report.live.delivered == len(sink.frames) >= 2


def test_no_face_is_no_failure(play) -> None:
    grey = [np.full((90, 160, 3), 90, np.uint8)] * 5
    report, sink = play(ListSource(grey, rate=2, gap=0.05))
    assert (report.faces, report.live.tracks, report.no_face) == (0, 0, ["clip"])
    assert all(np.array_equal(made, grey[0]) for made in sink.frames)


@pytest.mark.parametrize("by", ["user", "window", "time"])
def test_a_run_that_is_ended_closes_both_ends(play, passing, by: str) -> None:
    source, sink, stopped = ListSource(passing * 5, rate=2, gap=0.02), ListSink(), threading.Event()

    def end(number: int) -> None:
        if number == 5:
            stopped.set() if by == "user" else setattr(sink, "ended", by == "window")

    sink.each = end
    report, _ = play(source, sink, stopped=stopped, seconds=0.5 if by == "time" else None)
    assert source.closed
    assert sink.closed == 1
    assert 1 < report.live.delivered < 60
    assert report.live.verdict
    if by == "time":
        assert sink.seconds[-2] < 0.5
    names = {thread.name for thread in threading.enumerate()}
    assert not {
        name for name in names if name in ("gpen-fast-arrivals", "gpen-fast-faces", "gpen-fast-network")
    }


def test_a_source_that_is_lost_is_a_failed_input_and_the_frames_are_kept(play, passing) -> None:
    report, sink = play(ListSource(passing[:6], rate=2, gap=0.05, lost="the camera was unplugged."))
    assert [(each.path, each.error) for each in report.failed] == [("clip", "the camera was unplugged.")]
    assert sink.closed == 1
    assert report.live.delivered == len(sink.frames) > 0
    assert report.outcomes["failed"] == 1


def test_what_a_source_raises_comes_through_after_the_output_is_closed(play, passing) -> None:
    def broken(number: int) -> None:
        if number == 4:
            raise VideoError("the frame is interlaced.")

    sink = ListSink()
    with pytest.raises(VideoError, match="interlaced"):
        play(ListSource(passing, gap=0.05, before=broken), sink)
    assert sink.closed == 1


def test_a_full_disk_ends_the_run_and_closes_the_output(play, passing) -> None:
    def full(number: int) -> None:
        if number == 3:
            raise OSError(28, "No space left on device")

    sink, source = ListSink(each=full), ListSource(passing, gap=0.02)
    with pytest.raises(OSError, match="No space"):
        play(source, sink)
    assert (sink.closed, source.closed) == (1, True)


def test_a_frame_that_cannot_be_restored_is_handed_out_as_it_was(
    play, passing, monkeypatch: pytest.MonkeyPatch
) -> None:
    paste = Pipeline.paste

    def failing(self, picture):
        if picture.source.index == 3:
            raise ValueError("broken face")
        return paste(self, picture)

    monkeypatch.setattr(Pipeline, "paste", failing)
    report, sink = play(ListSource(passing[:6], rate=2, gap=0.2))
    assert report.live.unrestored == 1
    assert np.array_equal(sink.frames[3], passing[3])
    assert "ValueError: broken face" in report.notes[0].note


def test_a_slow_network_is_left_and_latency_does_not_grow(play, steps, passing, monkeypatch) -> None:
    """The network takes 0.3 s where 40 ms are to be had: faces pass through in the end."""
    settle = Pipeline.settle

    def slow(self, batch):
        time.sleep(0.3 if batch.call else 0)
        return settle(self, batch)

    monkeypatch.setattr(Pipeline, "settle", slow)
    report, _ = play(
        ListSource(passing * 3, gap=0.04), max_latency=150.0, steps=[replace(each) for each in steps]
    )
    assert report.live.steps["pass through"] > 0.5
    assert report.verdict != "live"
