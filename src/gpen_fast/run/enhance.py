"""`enhance` without its command line: runs a plan through the engine and counts what became of it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from gpen_fast.detections.cache import DetectionWriter
from gpen_fast.device.memory import reset_peak
from gpen_fast.errors import LandmarksError, OutputError, reason
from gpen_fast.measure.export.trace import Timeline
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.aside import RunAside
from gpen_fast.run.engine import Engine
from gpen_fast.run.fit import Fit
from gpen_fast.run.guard import OutputGuard
from gpen_fast.run.job import Failed, Finished, Pasted, numbered
from gpen_fast.run.journal.book import JournalBook
from gpen_fast.run.lanes import Lanes, lanes_for
from gpen_fast.run.pipeline import PictureHooks, Pipeline
from gpen_fast.run.plan import Plan
from gpen_fast.run.report import enhance_report
from gpen_fast.run.rows import row_of
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.sequence import numbered_together
from gpen_fast.run.sink import Sink
from gpen_fast.run.tally import Tally
from gpen_fast.run.team import Team, Threads
from gpen_fast.run.tracing import counters_on, run_gauges, traced_clock
from gpen_fast.run.watchdog import Watchdog
from gpen_fast.settings import OutputOptions


class Progress(Protocol):
    """Is told how a run advances."""

    def advance(self, row: PictureRow) -> None:
        """One picture has come to its end, restored or not."""


@dataclass(frozen=True)
class Watchers:
    """What is told what a run does."""

    watchdog: Watchdog | None = None
    """Is told what each thread works on."""

    timeline: Timeline | None = None
    """Shows every call of every stage, and what was under way."""


def run_enhance(
    runtime: Runtime,
    work: Plan,
    output: OutputOptions,
    progress: Progress,
    stopped: threading.Event | None = None,
    *,
    beside: Sequence[Runtime] = (),
    journal: JournalBook | None = None,
    watchers: Watchers | None = None,
) -> Report:
    """Restores what the plan names.

    Args:
        runtime: The device, detector and network that do the work.
        beside: The same on further devices.
        work: What is to be restored; its order is the order of the report.
        output: How results are written.
        progress: Is told after each picture, in the calling thread.
        stopped: Once it is set, no further picture is taken; what is in the network is finished and kept.
        journal: Records what becomes of each picture; None: nothing is recorded.
        watchers: Are told what the run does; None: none are.

    Returns:
        What became of each picture, how many were not done, and what each stage took.

    Raises:
        LandmarksError: `output.save_landmarks` exists and cannot be read, or has no folder.
        DeviceError: The device failed. What was written until then is kept.
        InputsError: Another run writes into the output folder.
    """
    watchdog, timeline = (watchers.watchdog, watchers.timeline) if watchers else (None, None)
    recorder = Recorder(sink=timeline)
    detection_writer = DetectionWriter.open(output.save_landmarks) if output.save_landmarks else None
    journal = journal or JournalBook(None, output)
    journal.begin((item.target_path for item in work.todo), work.notes)
    frames = _frames(work) if output.grey_as_grey else frozenset()
    fit = Fit(work.todo, output, aligned=runtime.settings.aligned)
    sink = Sink(work.todo, output, fit, frames, journal)
    hooks = PictureHooks(fit, sink.check, watchdog, journal.reading, hashed=journal.keeps_rows)
    pipelines = [_pipeline(each, recorder, detection_writer, hooks) for each in (runtime, *beside)]
    guard = _guarded(pipelines[0], sink, work, journal)
    settle = partial(_settle, work, journal)
    team = _team(pipelines, guard, settle, detection_writer, stopped, len(work.todo))
    tally = Tally()
    start = time.perf_counter_ns()
    gauges = run_gauges((runtime, *beside), recorder, team, start)
    with _written_at_the_end(detection_writer, tally), counters_on(timeline, gauges):
        for done in team.run(numbered(_until_the_end(work, guard))):
            item = work.todo[done.source.index]
            if isinstance(done, Failed) and isinstance(done.error, OutputError):
                continue  # the run has ended: said once, below
            tally.add(item.source, done)
            if timeline and isinstance(done, Failed):
                timeline.mark("failed", picture=str(item.source), error=reason(done.error, item.source))
            progress.advance(row_of(item, done))
    if guard.ended:
        tally.halted = True
        tally.unwritten.append(guard.ended)
    wall = (time.perf_counter_ns() - start) / NS_PER_MS
    for pipeline in pipelines:
        pipeline.clock.finish()
    return enhance_report(runtime, work, tally, recorder, wall, team, detection_writer)


def _pipeline(
    runtime: Runtime, recorder: Recorder, detection_writer: DetectionWriter | None, hooks: PictureHooks
) -> Pipeline:
    reset_peak(runtime.device)
    return Pipeline(runtime, traced_clock(runtime, recorder), detection_writer, hooks)


def _team(
    pipelines: Sequence[Pipeline],
    guard: OutputGuard,
    settle: Callable[[Failed], None],
    detection_writer: DetectionWriter | None,
    stopped: threading.Event | None,
    pictures: int,
) -> Team:
    """A process on each core of a CPU where that is faster; else a thread on each device."""
    lanes = lanes_for(pipelines[0].runtime, pictures)
    if lanes > 1:
        aside = RunAside(pipelines[0], guard, detection_writer)
        return Lanes(pipelines[0], lanes, guard, settle, aside, stopped)
    return Threads(Engine(*pipelines, stopped=stopped), guard, settle)


def _settle(work: Plan, journal: JournalBook, done: Failed) -> None:
    """Records a picture that failed, unless it is the whole run that has ended."""
    item = work.todo[done.source.index]
    if not isinstance(done.error, OutputError):
        with contextlib.suppress(OSError):  # a full disk is reported by the next result
            journal.failed(item.source, item.target, reason(done.error, item.source))


def _frames(work: Plan) -> frozenset[str]:
    """The pictures that are numbered together, as the frames of a film are."""
    return numbered_together(item.source_path for item in (*work.todo, *work.skipped))


def _guarded(pipeline: Pipeline, sink: Sink, work: Plan, journal: JournalBook) -> OutputGuard:
    """What writes a picture, until no result can be written any more."""

    def save(picture: Pasted) -> Finished:
        done, timing = pipeline.save(picture, sink)
        found = picture.picture.faces_found
        left_out = 0 if found is None else found - len(picture.faces)
        return replace(done, timing=timing, faces_found=found, faces_left_out=left_out)

    return OutputGuard(save, lambda picture: work.todo[picture.source.index].target, journal.home_of)


def _until_the_end(work: Plan, guard: OutputGuard) -> Iterator[Path]:
    """The pictures of the plan, as long as results can be written."""
    for item in work.todo:
        if guard.ended:
            return
        yield item.source


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
