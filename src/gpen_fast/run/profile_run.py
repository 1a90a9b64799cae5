"""`profile`: restores one picture, or a mix of several, again and again, without overlap."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from gpen_fast.device.memory import reset_peak
from gpen_fast.device.streams import synchronize
from gpen_fast.errors import GenerateError, PictureError, reason
from gpen_fast.files import write_file
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.export.trace import Timeline
from gpen_fast.measure.mix import mix_row
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import FailedInput
from gpen_fast.measure.report_rows import MixRow
from gpen_fast.measure.samples import inputs_sha256
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.job import Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.report import profile_report
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.tracing import counters_on, memory_gauge, traced_clock
from gpen_fast.stages.save.base import open_writer


class RunCount(Protocol):
    """Is told how far `profile` is."""

    def ran(self, number: int, ms: float) -> None:
        """The run of that number, from 1, has ended after so many milliseconds; those that do not count come first."""

    def failed(self, path: Path, why: str) -> None:
        """A picture of several has failed, and is left out from now on."""


def profile_picture(
    runtime: Runtime, path: Path, *, runs: int, warmup: int, target_fps: float, progress: RunCount
) -> Report:
    """Restores a picture again and again and saves it as PNG; nothing overlaps.

    Args:
        runtime: The device, detector and network to time.
        path: The picture.
        runs: Counted runs, 1 and up.
        warmup: Runs before these that are not counted, 0 and up. The very first run is reported apart.
        target_fps: Frames per second that count as live.
        progress: Is told after each run, outside its time.

    Raises:
        PictureError: The file is not a picture, or is damaged.
        OSError: The file cannot be read.
        GenerateError: The network gives no usable face.
    """
    report = profile_pictures(
        runtime, [path], runs=runs, warmup=warmup, target_fps=target_fps, progress=progress
    )
    assert report is not None, "one picture raises its error, and nothing stops it"
    return report


def profile_pictures(
    runtime: Runtime,
    paths: Sequence[Path],
    *,
    runs: int,
    warmup: int,
    target_fps: float,
    progress: RunCount,
    timeline: Timeline | None = None,
    stopped: threading.Event | None = None,
) -> Report | None:
    """Restores pictures again and again, one after the other, and saves them as PNG; nothing overlaps.

    Args:
        runtime, target_fps, progress: As for `profile_picture`.
        paths: The pictures: one at least.
        runs: Counted passes over all of them, 1 and up.
        warmup: Passes before these that are not counted, 0 and up. The very first one counts neither.
        timeline: Shows every call of every stage.
        stopped: Once it is set, no further run is begun.

    Returns:
        The report; None if the work was stopped, or if every one of several pictures has failed.

    Raises:
        PictureError, OSError, GenerateError: Of the only picture; of several, those that fail are in the report.
    """
    reset_peak(runtime.device)
    with (
        tempfile.TemporaryDirectory(prefix="gpen-fast-") as folder,
        counters_on(timeline, [partial(memory_gauge, runtime)]),
    ):
        mix = _Mix(runtime, paths, Path(folder) / "restored.png", progress, timeline)
        for number in range(1 + warmup + runs):
            counted = number > warmup
            if number == 1 + warmup:
                mix.begin_counting()
            for picture in list(mix.left):
                if stopped and stopped.is_set():
                    return None
                mix.run(picture, _pass_name(number, warmup), counted=counted)
    if not mix.counted:
        return None
    report = profile_report(
        runtime,
        mix.recorder,
        [ms for picture in mix.counted for ms in picture.wall_ms],
        faces=sum(picture.faces * len(picture.wall_ms) for picture in mix.counted),
        warmup=warmup,
        first_call_ms=mix.first_ms,
        target_fps=target_fps,
    )
    several = len(paths) > 1
    return replace(
        report,
        runs=runs,
        failed=mix.failed,
        mix=[picture.row() for picture in mix.counted] if several else [],
        # A picture that went away can no longer be read.
        input_sha256=inputs_sha256([picture.path for picture in mix.left]),
    )


@dataclass(eq=False)
class _Profiled:
    """A picture, and what its runs took."""

    source: PictureSource
    path: Path
    size: tuple[int, int] = (0, 0)
    faces: int = 0
    first_ms: float | None = None
    wall_ms: list[float] = field(default_factory=list)
    stages_ms: list[Mapping[str, float]] = field(default_factory=list)

    def row(self) -> MixRow:
        """The picture's row in the report."""
        return mix_row(self.path, self.size, self.faces, self.first_ms, self.wall_ms, self.stages_ms)


class _Mix:
    """Restores the pictures of a profile, and keeps what that took."""

    def __init__(
        self,
        runtime: Runtime,
        paths: Sequence[Path],
        target: Path,
        progress: RunCount,
        timeline: Timeline | None,
    ) -> None:
        self._all = [_Profiled(PictureSource(index, path), path) for index, path in enumerate(paths)]
        self.left = self._all[:]
        self.failed: list[FailedInput] = []
        self.first_ms = 0.0
        self._runtime = runtime
        self._target = target
        self._progress = progress
        self._timeline = timeline
        self._alone = len(paths) == 1
        self._runs = 0
        self._clock = traced_clock(runtime, Recorder(sink=timeline), wait=lambda: synchronize(runtime.device))

    @property
    def recorder(self) -> Recorder:
        """What was measured since `begin_counting`."""
        return self._clock.recorder

    @property
    def counted(self) -> list[_Profiled]:
        """The pictures with a counted run: one that failed later among them, since its times were measured too."""
        return [picture for picture in self._all if picture.wall_ms]

    def begin_counting(self) -> None:
        """Forgets the runs so far, but for the first of each picture."""
        self._clock.recorder = Recorder(sink=self._timeline)

    def run(self, picture: _Profiled, name: str, *, counted: bool) -> None:
        """Restores a picture once; one of several that fails is left out from now on."""
        began = time.perf_counter_ns()
        try:
            ms, pasted, stages_ms = _run(self._runtime, picture.source, self._target, self._clock)
        except (PictureError, GenerateError, OSError) as error:
            if self._alone:
                raise
            self.left.remove(picture)
            why = reason(error, picture.path)
            self.failed.append(FailedInput(str(picture.path), why))
            self._progress.failed(picture.path, why)
            return
        if self._timeline:
            self._timeline.block(name, began, time.perf_counter_ns())
        self._runs += 1
        self.first_ms = self.first_ms or ms
        self._progress.ran(self._runs, ms)
        if picture.first_ms is None:
            frame = pasted.frame
            picture.first_ms, picture.size, picture.faces = ms, (frame.width, frame.height), len(pasted.faces)
        if counted:
            picture.wall_ms.append(ms)
            picture.stages_ms.append(stages_ms)


def _pass_name(number: int, warmup: int) -> str:
    if number == 0:
        return "first run"
    return f"warm-up {number}" if number <= warmup else f"run {number - warmup}"


def _run(
    runtime: Runtime, source: PictureSource, target: Path, clock: Clock
) -> tuple[float, Pasted, Mapping[str, float]]:
    """One restoration from file to file: its wall time in ms, by a timer of its own, the picture, and ms by stage."""
    pipeline = Pipeline(runtime, clock)
    writer = open_writer(target.suffix.removeprefix("."))

    def write(picture: Pasted) -> None:
        write_file(target, writer.encode(picture.result, quality=95))

    start = time.perf_counter_ns()
    pasted = pipeline.restore(source)
    _, stages_ms = pipeline.save(pasted, write)
    ms = (time.perf_counter_ns() - start) / NS_PER_MS
    clock.finish()
    return ms, pasted, stages_ms
