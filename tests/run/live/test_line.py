"""The threads of a live run: slots of one between them, and an error in any of them ends all."""

from __future__ import annotations

import threading

import pytest
from live_ends import ListSource

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.live.control import StepControl
from gpen_fast.run.live.line import LiveLine, LiveParts
from gpen_fast.run.live.rehearsal import Rehearsal
from gpen_fast.run.live.restoring import LiveRestorer
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.settings import VIDEO_STAGES
from gpen_fast.stages.detect.lite import LandmarkReader
from gpen_fast.video.track import Tracker


@pytest.fixture
def line_of(steps):
    def make(source: ListSource, step: int = 0) -> LiveLine:
        clock = Clock(Recorder(stages=VIDEO_STAGES))
        pipelines = [FramePipeline(each.runtime, clock) for each in steps]
        tracker = Tracker(LandmarkReader(steps[0].runtime.settings.weights), detect_every=5)
        control = StepControl([each.cost for each in steps], 2.0, 60.0)
        control.step = step
        return LiveLine(
            source,
            "clip",
            LiveParts(
                steps,
                pipelines,
                tracker,
                LiveRestorer(steps, pipelines, 0.5),
                control,
                Rehearsal(steps, control.step, tracker, source.facts, 0.5),
            ),
        )

    return make


def test_frames_come_in_order_with_what_each_part_took(line_of, passing) -> None:
    line = line_of(ListSource(passing[:8], gap=0.05))
    done = list(line.frames())
    numbers = [each.frame.index for each in done]
    assert numbers == sorted(set(numbers))
    assert len(done) + line.dropped == 8
    assert numbers[-1] == 7
    for each in done:
        assert 0 < each.network < each.line
        assert each.beside > 0
        assert each.frame.faces == 1
    assert sum(each.new_tracks for each in done) == 1


def test_at_the_last_step_nothing_is_done_to_a_frame(line_of, passing) -> None:
    line = line_of(ListSource(passing[:4], gap=0.05), step=2)
    done = list(line.frames())
    assert done
    assert {(each.frame.faces, each.network, each.step) for each in done} == {(0, 0.0, 2)}


@pytest.mark.parametrize("part", ["follow", "restore"])
def test_an_error_in_any_thread_ends_all_of_them(line_of, passing, part: str, monkeypatch) -> None:
    source = ListSource(passing * 10, gap=0.01)
    line = line_of(source)
    broken = (Tracker, "look") if part == "follow" else (LiveRestorer, "restore")
    rehearsed = {"done": False}
    kept = getattr(*broken)

    def failing(self, *given):
        if rehearsed["done"]:
            raise MemoryError("no memory at all")
        return kept(self, *given)

    def begin(number: int) -> None:
        rehearsed["done"] = number >= 3

    source.before = begin
    monkeypatch.setattr(*broken, failing)
    if part == "restore":
        with pytest.raises(MemoryError):
            list(line.frames())
    else:
        # A tracker's error is that of a frame, which is handed out as it was.
        assert any(each.frame.error for each in line.frames())
    assert not [each for each in threading.enumerate() if each.name == "gpen-fast-network"]


def test_an_error_of_the_rehearsal_is_told(line_of, passing, monkeypatch) -> None:
    monkeypatch.setattr(Rehearsal, "restore", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(line_of(ListSource(passing)).frames())
