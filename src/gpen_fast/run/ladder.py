"""`profile --ladder`: the published ladder of optimisations on this machine, each row beside its likeness.

Every row restores the same pictures, with everything that the rows above it changed, from files to files. All rows are
measured in turns, in three rounds, so that other work of the machine does not slow a single row. What a row wrote is
read back and compared with what the baseline made.
"""

from __future__ import annotations

import gc
import math
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path

from gpen_fast import __version__
from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import peak_bytes, release_cached_memory, reset_peak
from gpen_fast.device.select import pick_device
from gpen_fast.device.streams import synchronize
from gpen_fast.errors import GpenError, SettingsError, first_line
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.ladder import LadderRow, RowTimes, advice_of, ladder_row, skipped_row
from gpen_fast.measure.memory import host_peak_bytes
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report, VerdictName
from gpen_fast.measure.report_parts import MemoryPeaks
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.job import PictureSource, numbered
from gpen_fast.run.ladder_album import LadderAlbum, LadderPicture, open_album, write_landmarks
from gpen_fast.run.ladder_options import row_settings, small_network
from gpen_fast.run.ladder_pass import result_path, run_pass
from gpen_fast.run.ladder_steps import LADDER_STEPS, LadderWay
from gpen_fast.run.ladder_words import UNLIKE, notes_of
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.report import what_ran
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.steps import RunsDone, StepProgress
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.base import pick_detector
from gpen_fast.stages.generate.folded import Folded

# The options that the rows set themselves.
_OWN = ("precision", "backend", "batch_size", "deterministic", "keep_detail")
# Every row is measured so many times, in turns with the others, unless --runs asks for fewer.
_ROUNDS = 3


@dataclass(frozen=True)
class LadderTask:
    """What `profile --ladder` is to measure."""

    settings: Settings
    """Device, network, the baseline's detector and which faces; the rows set the rest."""

    pictures: Sequence[Path]
    """Files, each with a face."""

    runs: int
    """Pictures of each row that count, at least, divided among the rounds."""

    warmup: int
    """Pictures before these that do not count."""

    def __post_init__(self) -> None:
        given, usual = self.settings.as_flat(), Settings().as_flat()
        if changed := [name for name in _OWN if given[name] != usual[name]]:
            raise SettingsError(
                f"--ladder sets {', '.join(map(_flag, _OWN))} itself, row by row: leave {_flag(changed[0])} out."
            )
        if self.settings.aligned:
            raise SettingsError(
                "--ladder cuts the faces out itself, and has a row without detection: leave --skip-detect out."
            )

    @property
    def baseline_detector(self) -> str:
        """The detector that the user names, else the best whose weights are present: upstream GPEN's, if it is."""
        named = self.settings.detect.detector
        return pick_detector(self.settings.weights) if named == "auto" else named


def run_ladder(task: LadderTask, progress: StepProgress, stopped: threading.Event) -> Report:
    """Measures every row that this machine can run.

    Args:
        task: What is to be measured.
        progress: Is told of each row and of each pass.
        stopped: Once it is set, the present row ends unmeasured, and the report has the rows before it.

    Returns:
        The report: what ran is that of the baseline; `ladder` has the rows.

    Raises:
        PictureError: A picture cannot be restored; the message names it.
        GpenError: The baseline cannot run: weights are absent, the device is not there, and so on.
    """
    with tempfile.TemporaryDirectory(prefix="gpen-fast-") as folder:
        return _Climb(task, Path(folder), progress, stopped).report()


class _StoppedError(Exception):
    """The user interrupted a row."""


@dataclass(eq=False)
class _Measured:
    """One row, and what was measured of it so far."""

    name: str
    way: LadderWay
    before: LadderWay | None
    """How the row above ran; None for the baseline."""
    ms: list[float] = field(default_factory=list)
    """Of one picture, one value a counted pass."""
    device_bytes: int | None = None
    likeness: list[tuple[float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def times(self) -> RowTimes:
        """What the row is judged by."""
        return RowTimes(statistics.median(self.ms), self.device_bytes)


class _Climb:
    """The rows as they are measured, from the first to the last, and again."""

    def __init__(
        self, task: LadderTask, folder: Path, progress: StepProgress, stopped: threading.Event
    ) -> None:
        self._task, self._folder, self._progress, self._stopped = task, folder, progress, stopped
        self._device = pick_device(task.settings.generate.device)
        # In the table's order; a row that cannot run here is its name and the reason.
        self._rows: list[_Measured | LadderRow] = []
        # Known once the first row is loaded.
        self._album: LadderAlbum | None = None
        self._report: Report | None = None
        self._own_size = 0

    def report(self) -> Report:
        """Measures the rows, and reports on those that were."""
        try:
            self._first_round()
            for number in range(2, min(_ROUNDS, self._task.runs) + 1):
                self._next_round(number)
        except _StoppedError:
            return self._reported("interrupted")
        return self._reported("all_done")

    def _first_round(self) -> None:
        """Decides which rows run, and measures each."""
        way: LadderWay | None = None
        for number, step in enumerate(LADDER_STEPS, 1):
            self._progress.began(number, len(LADDER_STEPS), step.name)
            above = way or LadderWay(self._task.baseline_detector)
            if why := step.refuses(above, self._device):
                self._rows.append(skipped_row(step.name, why))
                continue
            row = _Measured(step.name, step.change(above), way)
            try:
                self._measure(row)
            except GpenError as error:
                if way is None:
                    raise
                self._rows.append(skipped_row(step.name, first_line(error).removesuffix(".")))
            else:
                self._rows.append(row)
                way = row.way

    def _next_round(self, round_number: int) -> None:
        """Measures the same rows again: what else the machine did in one round is not in the others."""
        for number, row in enumerate(self._rows, 1):
            if isinstance(row, _Measured):
                name = f"{row.name}, round {round_number} of {_ROUNDS}"
                self._progress.began(number, len(self._rows), name)
                self._measure(row)

    def _measure(self, row: _Measured) -> None:
        """Runs the passes of one round. Raises _StoppedError if the user interrupted them."""
        reset_peak(self._device)
        runtime = load_runtime(self._settings(row.way))
        if isinstance(runtime.generator.backend, Folded) and not row.way.graphs:
            runtime.generator.backend.without_graphs()
        if self._album is None:
            self._report = what_ran("profile", runtime)
            self._own_size = runtime.size
            self._album = open_album(runtime, self._task.pictures, self._folder)
        pictures = self._album.crops if row.way.landmarks == "aligned" else self._album.whole
        is_first = not row.ms
        row.ms += self._passes(row.way, runtime, pictures, warmup=self._task.warmup if is_first else 0)
        row.device_bytes = peak_bytes(self._device)
        if is_first:
            self._describe(row, runtime, pictures)
        del runtime
        gc.collect()  # a network's modules refer to each other: without it two of them would be in memory
        release_cached_memory()

    def _describe(self, row: _Measured, runtime: Runtime, pictures: Sequence[LadderPicture]) -> None:
        """Compares what the last pass wrote, and notes what the row is."""
        assert self._album is not None
        if row.way.landmarks == "searched":
            write_landmarks(runtime, self._album)
        row.notes = notes_of(row.way, row.before, runtime, self._album)
        if runtime.weights.random and self._unlike(row.way, runtime):
            row.notes.append(UNLIKE)
            return
        row.likeness = [
            picture.likeness(result_path(self._folder, index)) for index, picture in enumerate(pictures)
        ]

    def _unlike(self, way: LadderWay, runtime: Runtime) -> bool:
        """Whether the row's crops or its network are not the baseline's: random weights make other pictures of them."""
        other_crops = way.landmarks != "aligned" and way.detector != self._task.baseline_detector
        return other_crops or runtime.size != self._own_size

    def _passes(
        self, way: LadderWay, runtime: Runtime, pictures: Sequence[LadderPicture], warmup: int
    ) -> list[float]:
        """Milliseconds of a picture in each counted pass of a round."""
        assert self._album is not None
        paths = [picture.path for picture in pictures] * math.ceil(way.least_pictures / len(pictures))
        counted = len(paths) // len(pictures) * len(self._album.whole)
        passes = math.ceil(self._task.runs / counted / _ROUNDS)
        uncounted = max(1 + warmup, way.batch_size)
        warm = list(islice(cycle(paths), uncounted))
        pipeline = Pipeline(runtime, Clock(Recorder(), make_event=event_maker(self._device)))
        ms = []
        for number, each in enumerate([warm] + [paths] * passes, 1):
            ms.append(self._timed_pass(way, pipeline, list(numbered(each))) / counted)
            self._progress.ran(RunsDone(number, 1 + passes))
        return ms[1:]

    def _timed_pass(self, way: LadderWay, pipeline: Pipeline, sources: Sequence[PictureSource]) -> float:
        """Milliseconds of one pass. Raises _StoppedError if the user interrupted it."""
        start = time.perf_counter_ns()
        run_pass(
            pipeline, sources, self._folder, encoder=way.encoder, overlap=way.overlap, stopped=self._stopped
        )
        synchronize(self._device)
        ms = (time.perf_counter_ns() - start) / NS_PER_MS
        pipeline.clock.finish()
        if self._stopped.is_set():
            raise _StoppedError
        return ms

    def _settings(self, way: LadderWay) -> Settings:
        """The user's settings, with those of the row."""
        weights = self._task.settings.weights
        landmarks = self._album.landmarks(way.detector) if self._album else None
        small = small_network(weights, self._own_size) if way.network == "256" else {}
        return row_settings(self._task.settings.as_flat() | small, way, landmarks)

    def _reported(self, verdict: VerdictName) -> Report:
        """The report of the rows so far."""
        if self._report is None or self._album is None or not self._rows:
            return Report("profile", __version__, verdict=verdict)  # the first row was interrupted
        first = self._rows[0]
        assert isinstance(first, _Measured), "the baseline ran"
        rows = [
            ladder_row(row.name, row.times, first.times, row.likeness, row.notes)
            if isinstance(row, _Measured)
            else row
            for row in self._rows
        ]
        return replace(
            self._report,
            images=len(self._album.whole),
            faces=len(self._album.crops),
            warmup=self._task.warmup,
            runs=self._task.runs,
            ladder=rows,
            memory=MemoryPeaks(peak_bytes(self._device), host_peak_bytes()),
            verdict=verdict,
            advice=advice_of(rows),
        )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
