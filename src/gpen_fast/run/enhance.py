"""`enhance` without its output: a plan through the engine, into a report."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from gpen_fast.detections.cache import DetectionWriter
from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import reset_peak
from gpen_fast.errors import LandmarksError, reason
from gpen_fast.measure.clock import NS_PER_MS, Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report, stage_rows
from gpen_fast.run.engine import Engine
from gpen_fast.run.pipeline import Job, Pipeline
from gpen_fast.run.plan import Plan
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.sink import NO_FACE, Sink
from gpen_fast.settings import OutputOptions

_WORKER = ("align", "crop", "generate", "paste")


class Progress(Protocol):
    """What hears how a run gets on."""

    def advance(self, path: Path) -> None:
        """One picture came to an end."""

    def stopping(self) -> None:
        """An interrupt came: what is in the network is finished, nothing new begun."""


def run_batch(runtime: Runtime, work: Plan, output: OutputOptions, progress: Progress) -> Report:
    """Restores what the plan names.

    After an interrupt the report counts what was not done; what was in the network is finished and kept.
    """
    reset_peak(runtime.device)
    recorder = Recorder()
    clock = Clock(recorder, make_event=event_maker(runtime.device))
    detection_writer = DetectionWriter.open(output.save_landmarks) if output.save_landmarks else None
    pipeline = Pipeline(runtime, clock, detection_writer)
    engine = Engine(pipeline)
    sink = Sink({item.source: item.target for item in work.todo}, output)
    tally = Tally()
    start = time.perf_counter_ns()
    with _stop_on_interrupt(engine, progress), _written_at_the_end(detection_writer, tally):
        for job in engine.run((item.source for item in work.todo), lambda job: pipeline.save(job, sink)):
            tally.add(job)
            progress.advance(job.source)
    wall = (time.perf_counter_ns() - start) / NS_PER_MS
    clock.finish()
    return _report(runtime, work, tally, recorder, wall, engine, detection_writer)


class Tally:
    """Counts what became of the pictures."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.failed: list[tuple[Path, str]] = []
        self.unwritten: list[tuple[Path, str]] = []
        self.notes: list[tuple[Path, str]] = []
        self.no_face: list[Path] = []
        self.faces = 0

    @property
    def images(self) -> int:
        """Pictures that came to an end, good or bad."""
        return self.outcomes.total()

    def add(self, job: Job) -> None:
        """Counts one finished job."""
        if job.error:
            self.outcomes["failed"] += 1
            self.failed.append((job.source, reason(job.error, job.source)))
            return
        self.outcomes[job.output] += 1
        self.faces += len(job.faces or ())
        if job.output == NO_FACE:
            self.no_face.append(job.source)
        if job.note:
            self.notes.append((job.source, job.note))


def _report(
    runtime: Runtime,
    work: Plan,
    tally: Tally,
    recorder: Recorder,
    wall: float,
    engine: Engine,
    detection_writer: DetectionWriter | None,
) -> Report:
    aligned = runtime.settings.aligned
    total = recorder.total_host_ms()
    generate = recorder.series["generate"]
    failed = [*work.failed, *tally.failed]
    others = {"skipped": len(work.skipped), "ignored": len(work.ignored), "failed": len(failed)}
    return Report(
        "enhance",
        runtime,
        stage_rows(recorder, total, aligned=aligned, first_apart=True),
        [wall],
        tally.images,
        tally.faces,
        outcomes=dict(tally.outcomes) | others,
        failed=failed + tally.unwritten,
        notes=[*work.notes, *tally.notes],
        no_face=tally.no_face,
        not_done=len(work.todo) - tally.images,
        first_call_ms=generate.host[0] if generate.count else None,
        overlap_factor=total / wall if tally.images else None,
        bound_by=_bound_by(runtime, recorder, engine),
        landmarks=_landmarks(runtime, detection_writer),
    )


def _landmarks(runtime: Runtime, detection_writer: DetectionWriter | None) -> dict[str, Any]:
    """Whose faces were known, and where they are kept; empty where neither was asked for."""
    made: dict[str, Any] = {}
    if detection_cache := runtime.detection_cache:
        made = {
            "file": str(detection_cache.path),
            "used": detection_cache.hits,
            "searched": detection_cache.misses,
        }
        made |= {
            "searched_otherwise": detection_cache.incompatible,
            "of_no_picture": detection_cache.unmatched,
        }
    if detection_writer:
        made |= {"saved": detection_writer.written, "saved_to": str(detection_writer.path)}
    return made


def _bound_by(runtime: Runtime, recorder: Recorder, engine: Engine) -> str | None:
    """Who was busiest: the readers, the device worker, or the writers."""
    detect = recorder.total_host_ms("detect")
    on_host = not detect or runtime.detector.on_host
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
def _written_at_the_end(detection_writer: DetectionWriter | None, tally: Tally) -> Iterator[None]:
    """However the block ends, what was found is in the file, or the tally says why not."""
    try:
        yield
    finally:
        if detection_writer:
            try:
                detection_writer.write()
            except LandmarksError as error:
                tally.unwritten.append(
                    (detection_writer.path, str(error).removeprefix(f"{detection_writer.path}: "))
                )


@contextlib.contextmanager
def _stop_on_interrupt(engine: Engine, progress: Progress) -> Iterator[None]:
    """The first Ctrl-C lets the run end in good order, the second ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        engine.stop()
        progress.stopping()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
