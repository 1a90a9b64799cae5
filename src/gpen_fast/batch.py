"""`enhance` without its output: a plan through the engine, into a report."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from gpen_fast.device import event_maker, reset_peak
from gpen_fast.engine import Engine
from gpen_fast.inputs import Plan
from gpen_fast.pipeline import Job, Pipeline
from gpen_fast.profile.clock import Clock
from gpen_fast.profile.recorder import Recorder
from gpen_fast.profile.report import Report, stage_rows
from gpen_fast.settings import Output
from gpen_fast.sink import Sink
from gpen_fast.stages.load import reason
from gpen_fast.tools import Tools

_NS_PER_MS = 1e6
_WORKER = ("align", "crop", "generate", "paste")


def run_batch(
    tools: Tools, work: Plan, output: Output, advance: Callable[[Path], None] = lambda path: None
) -> tuple[Report, bool]:
    """Restores what the plan names; `advance` hears of each finished picture.

    Returns the report, and whether an interrupt ended the run early: then what was in the network is finished
    and kept.
    """
    reset_peak(tools.device)
    recorder = Recorder()
    clock = Clock(recorder, make_event=event_maker(tools.device))
    pipeline = Pipeline(tools, clock)
    engine = Engine(pipeline)
    sink = Sink({item.source: item.target for item in work.todo}, output)
    tally = Tally()
    start = time.perf_counter_ns()
    with _stop_on_interrupt(engine):
        for job in engine.run((item.source for item in work.todo), lambda job: pipeline.save(job, sink)):
            tally.add(job)
            advance(job.source)
    wall = (time.perf_counter_ns() - start) / _NS_PER_MS
    clock.finish()
    report = _report(tools, work, tally, recorder, wall, engine)
    return report, tally.images < len(work.todo)


class Tally:
    """Counts what became of the pictures."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.failed: list[tuple[Path, str]] = []
        self.faces = 0

    @property
    def images(self) -> int:
        """Pictures that came to an end, good or bad."""
        return self.outcomes.total()

    def add(self, job: Job) -> None:
        """Counts one finished job."""
        if job.error:
            self.outcomes["failed"] += 1
            self.failed.append((job.source, reason(job.error)))
            return
        self.outcomes[job.output] += 1
        self.faces += len(job.faces or ())


def _report(
    tools: Tools, work: Plan, tally: Tally, recorder: Recorder, wall: float, engine: Engine
) -> Report:
    aligned = tools.settings.aligned
    total = recorder.total_host_ms()
    generate = recorder.series["generate"]
    others = {"skipped": len(work.skipped), "ignored": len(work.ignored)}
    return Report(
        "enhance",
        tools,
        stage_rows(recorder, total, aligned=aligned, first_apart=True),
        [wall],
        tally.images,
        tally.faces,
        outcomes=dict(tally.outcomes) | others,
        failed=tally.failed,
        first_call_ms=generate.host[0] if generate.count else None,
        overlap_factor=total / wall,
        bound_by=_bound_by(tools, recorder, engine),
    )


def _bound_by(tools: Tools, recorder: Recorder, engine: Engine) -> str | None:
    """Who was busiest: the readers, the device worker, or the writers."""
    detect = recorder.total_host_ms("detect")
    on_host = tools.detector.on_host
    busy = {
        "readers": (recorder.total_host_ms("load") + (detect if on_host else 0)) / engine.readers,
        "device": _worker_ms(recorder) + (0 if on_host else detect),
        "writers": recorder.total_host_ms("save") / engine.writers,
    }
    return max(busy, key=lambda who: busy[who]) if any(busy.values()) else None


def _worker_ms(recorder: Recorder) -> float:
    """The worker's stages: device time where it was measured, since its host time may only be the queuing."""
    return sum(max(sum(recorder.series[stage].host), sum(recorder.series[stage].device)) for stage in _WORKER)


@contextlib.contextmanager
def _stop_on_interrupt(engine: Engine) -> Iterator[None]:
    """The first Ctrl-C lets the run end in good order, the second ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        engine.stop()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
