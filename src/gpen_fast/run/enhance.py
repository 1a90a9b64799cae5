"""`enhance` without its command line: runs a plan through the engine and counts what became of it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from gpen_fast.detections.cache import DetectionWriter
from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import reset_peak
from gpen_fast.errors import LandmarksError, reason
from gpen_fast.measure.clock import NS_PER_MS, Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report, stage_rows
from gpen_fast.run.engine import Engine
from gpen_fast.run.job import Failed, Finished, numbered
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.plan import Plan
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.sink import Sink
from gpen_fast.settings import OutputOptions

_WORKER = ("align", "crop", "generate", "paste")


class Progress(Protocol):
    """Is told how a run advances."""

    def advance(self, path: Path) -> None:
        """One picture has come to its end, restored or not."""


def run_enhance(
    runtime: Runtime,
    work: Plan,
    output: OutputOptions,
    progress: Progress,
    stopped: threading.Event | None = None,
) -> Report:
    """Restores what the plan names.

    Args:
        runtime: The device, detector and network that do the work.
        work: What is to be restored; its order is the order of the report.
        output: How results are written.
        progress: Is told after each picture, in the calling thread.
        stopped: Once it is set, no further picture is taken; what is in the network is finished and kept.

    Returns:
        What became of each picture, how many were not done, and what each stage took.

    Raises:
        LandmarksError: `output.save_landmarks` exists and cannot be read, or has no folder.
        DeviceError: The device failed. What was written until then is kept.
    """
    reset_peak(runtime.device)
    recorder = Recorder()
    clock = Clock(recorder, make_event=event_maker(runtime.device))
    detection_writer = DetectionWriter.beside(output.save_landmarks) if output.save_landmarks else None
    pipeline = Pipeline(runtime, clock, detection_writer)
    engine = Engine(pipeline, stopped=stopped)
    sink = Sink(work.todo, output)
    tally = Tally()
    start = time.perf_counter_ns()
    with _written_at_the_end(detection_writer, tally):
        sources = numbered(item.source for item in work.todo)
        for done in engine.run(sources, lambda picture: pipeline.save(picture, sink)):
            path = work.todo[done.source.index].source
            tally.add(path, done)
            progress.advance(path)
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
        """Pictures that came to an end, restored or not."""
        return self.outcomes.total()

    def add(self, path: Path, done: Finished | Failed) -> None:
        """Counts one picture."""
        if isinstance(done, Failed):
            self.outcomes["failed"] += 1
            self.failed.append((path, reason(done.error, path)))
            return
        self.outcomes[done.outcome] += 1
        self.faces += done.faces
        if done.outcome == "no_face":
            self.no_face.append(path)
        if done.note:
            self.notes.append((path, done.note))


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
            "used": detection_cache.used,
            "searched": detection_cache.searched,
        }
        made |= {
            "searched_otherwise": detection_cache.searched_otherwise,
            "of_no_picture": detection_cache.unused,
        }
    if detection_writer:
        made |= {"saved": detection_writer.saved, "saved_to": str(detection_writer.path)}
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
    """Writes the faces that were found, however the block ends; where that fails, the tally says why."""
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
