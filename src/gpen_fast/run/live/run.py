"""`live` without its command line: restores the frames of a source as they arrive, and reports how that went."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import reset_peak
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import CommandName, Report
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.live.control import StepControl
from gpen_fast.run.live.line import LiveLine, LiveParts
from gpen_fast.run.live.rehearsal import Rehearsal
from gpen_fast.run.live.report import LivePromise, live_report
from gpen_fast.run.live.restoring import LiveRestorer
from gpen_fast.run.live.steps import QualityStep
from gpen_fast.run.live.tally import LiveTally
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.settings import VIDEO_STAGES, LiveOptions
from gpen_fast.stages.detect.lite import LandmarkReader
from gpen_fast.video.live.sink import LiveSink
from gpen_fast.video.live.source import LiveSource
from gpen_fast.video.track import Tracker


class LiveProgress(Protocol):
    """Is told how a live run goes."""

    def frame(self, tally: LiveTally) -> None:
        """One more frame was handed out."""


@dataclass(frozen=True, eq=False)
class LiveEnds:
    """Where frames come from and go to."""

    source: LiveSource
    """Where frames come from."""
    name: str
    """Its name."""
    sink: LiveSink
    """Takes the frames; closed at the end."""


def run_live(
    steps: Sequence[QualityStep],
    ends: LiveEnds,
    options: LiveOptions,
    progress: LiveProgress,
    stopped: threading.Event | None = None,
    command: CommandName = "live",
) -> Report:
    """Restores frames as they arrive until the source ends, its time is over, or the user ends it.

    Args:
        steps: The quality steps, the best one first.
        ends: Source and sink. Both are closed when this returns or raises.
        options: What is promised, and when it ends.
        progress: Is told of each frame, in the calling thread.
        stopped: Once it is set, no further frame is let in.
        command: What the report says that ran.

    Returns:
        How it went. A source that was lost is a failed input.

    Raises:
        GpenError, OSError: The source, the network or the sink fails; what was handed out is kept.
    """
    stopped = stopped or threading.Event()
    recorder = Recorder(stages=VIDEO_STAGES)
    device = steps[0].runtime.device
    clock = Clock(recorder, make_event=event_maker(device))
    reset_peak(device)
    pipelines = [FramePipeline(each.runtime, clock) for each in steps]
    target_fps = min(options.target_fps, float(ends.source.facts.rate))
    control = StepControl([each.cost for each in steps], target_fps, options.max_latency / 1e3)
    tracker = Tracker(LandmarkReader(steps[0].runtime.settings.weights), detect_every=options.detect_every)
    parts = LiveParts(
        steps,
        pipelines,
        tracker,
        LiveRestorer(steps, pipelines, options.temporal),
        control,
        Rehearsal(steps, control.step, tracker, ends.source.facts, options.temporal),
    )
    line = LiveLine(ends.source, ends.name, parts)
    tally = LiveTally([each.name for each in steps])
    start = time.perf_counter_ns()
    try:
        _hand_out(line, ends.sink, tally, clock, _End(stopped, ends, options, progress))
    finally:
        ends.source.close()
        ends.sink.close()
    wall = (time.perf_counter_ns() - start) / NS_PER_MS
    clock.finish()
    promise = LivePromise(ends.name, float(ends.source.facts.rate), target_fps, options.max_latency)
    return live_report(command, steps[0].runtime, promise, tally, recorder, wall, ends.source.lost)


@dataclass(frozen=True, eq=False)
class _End:
    """When a run is over, and who is told."""

    stopped: threading.Event
    ends: LiveEnds
    options: LiveOptions
    progress: LiveProgress

    def is_over(self, seconds: float) -> bool:
        """Whether no further frame is to be handed out. seconds: since the first frame arrived."""
        limit = self.options.seconds
        return self.stopped.is_set() or self.ends.sink.ended or (limit is not None and seconds >= limit)


def _hand_out(line: LiveLine, sink: LiveSink, tally: LiveTally, clock: Clock, end: _End) -> None:
    """Hands frames out as they are done."""
    before = 0
    for done in line.frames():
        with clock.span("encode", on_device=False):
            sink.put(done.frame.frame, done.seconds)
        now, dropped = time.perf_counter(), line.dropped
        line.hear(done, now, dropped - before)
        before = dropped
        tally.add(done, now, dropped)
        end.progress.frame(tally)
        if end.is_over(done.seconds):
            return
