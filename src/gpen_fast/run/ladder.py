"""`profile --ladder`: the published ladder of optimisations on this machine, each row beside its likeness.

Every row restores the same pictures, with everything that the rows above it changed, from files to files. What a row
wrote is read back and compared with what the baseline made.
"""

from __future__ import annotations

import gc
import math
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
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
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import MemoryPeaks
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.job import PictureSource
from gpen_fast.run.ladder_album import LadderAlbum, LadderPicture, open_album, write_landmarks
from gpen_fast.run.ladder_pass import result_path, run_pass
from gpen_fast.run.ladder_steps import LADDER_STEPS, LadderWay
from gpen_fast.run.ladder_words import notes_of
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.report import what_ran
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.steps import RunsDone, StepProgress
from gpen_fast.settings import DetectOptions, PasteOptions, Settings
from gpen_fast.stages.detect.base import pick_detector
from gpen_fast.stages.generate.folded import Folded
from gpen_fast.store.locate import present

# The options that the rows set themselves.
_OWN = ("precision", "backend", "batch_size", "deterministic", "keep_detail")
# Passes of a row, at least, unless --runs asks for fewer: a median needs three.
_LEAST_PASSES = 3
# Side of a face, pixels, in the network of the last row, and the networks for it: the best first.
_SMALL, _SMALL_NETWORKS = 256, ("gpen-bfr-256", "gpen-lite-256")


@dataclass(frozen=True)
class LadderTask:
    """What `profile --ladder` is to measure."""

    settings: Settings
    """Device, network, the baseline's detector and which faces; the rows set the rest."""

    pictures: Sequence[Path]
    """Files, each with a face."""

    runs: int
    """Pictures of each row that count, at least, and at most so many passes as that takes."""

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


class _Climb:
    """The rows as they are measured, from the first to the last."""

    def __init__(
        self, task: LadderTask, folder: Path, progress: StepProgress, stopped: threading.Event
    ) -> None:
        self._task, self._folder, self._progress, self._stopped = task, folder, progress, stopped
        self._device = pick_device(task.settings.generate.device)
        self._way = LadderWay(task.baseline_detector)
        self._rows: list[LadderRow] = []
        # Known once the first row is measured.
        self._album: LadderAlbum | None = None
        self._baseline: RowTimes | None = None
        self._report: Report | None = None
        self._own_size = 0

    def report(self) -> Report:
        """Measures the rows, and reports on those that were."""
        for number, step in enumerate(LADDER_STEPS, 1):
            if self._stopped.is_set():
                break
            self._progress.began(number, len(LADDER_STEPS), step.name)
            if why := step.refuses(self._way, self._device):
                self._rows.append(skipped_row(step.name, why))
                continue
            try:
                self._rows.append(self._row(step.name, step.change(self._way)))
            except _StoppedError:
                break
            except GpenError as error:
                if self._baseline is None:
                    raise
                self._rows.append(skipped_row(step.name, first_line(error).removesuffix(".")))
        return self._reported(interrupted=len(self._rows) < len(LADDER_STEPS))

    def _row(self, name: str, way: LadderWay) -> LadderRow:
        """Measures one row; the rows that follow build on it."""
        reset_peak(self._device)
        runtime = load_runtime(self._settings(way))
        if isinstance(runtime.generator.backend, Folded) and not way.graphs:
            runtime.generator.backend.without_graphs()
        if self._album is None:
            self._report = what_ran("profile", runtime)
            self._own_size = runtime.size
            self._album = open_album(runtime, self._task.pictures, self._folder)
        ms, likeness = self._measured(way, runtime)
        times = RowTimes(ms, peak_bytes(self._device))
        if way.landmarks == "searched":
            write_landmarks(runtime, self._album)
        unlike = runtime.weights.random and runtime.size != self._own_size
        notes = notes_of(way, self._way if self._baseline else None, runtime, self._album)
        self._baseline = self._baseline or times
        self._way = way
        del runtime
        gc.collect()  # a network's modules refer to each other: without it two of them would be in memory
        release_cached_memory()
        return ladder_row(name, times, self._baseline, [] if unlike else likeness, notes)

    def _measured(self, way: LadderWay, runtime: Runtime) -> tuple[float, list[tuple[float, float]]]:
        """Median milliseconds of a picture, and the likeness of each result."""
        assert self._album is not None
        pictures = self._album.crops if way.landmarks == "aligned" else self._album.whole
        rounds = math.ceil(way.least_pictures / len(pictures))
        sources = [PictureSource(index, picture.path) for index, picture in enumerate([*pictures] * rounds)]
        counted = rounds * len(self._album.whole)
        passes = max(math.ceil(self._task.runs / counted), min(self._task.runs, _LEAST_PASSES))
        warm = 1 + math.ceil(self._task.warmup / counted)
        clock = Clock(Recorder(), make_event=event_maker(self._device))
        pipeline = Pipeline(runtime, clock)
        times = []
        for number in range(warm + passes):
            ms = self._timed_pass(way, pipeline, sources) / counted
            times += [ms] if number >= warm else []
            self._progress.ran(RunsDone(number + 1, warm + passes))
        return statistics.median(times), self._likeness(pictures)

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

    def _likeness(self, pictures: Sequence[LadderPicture]) -> list[tuple[float, float]]:
        """PSNR and SSIM of what the last pass wrote."""
        return [picture.likeness(result_path(self._folder, index)) for index, picture in enumerate(pictures)]

    def _settings(self, way: LadderWay) -> Settings:
        """The user's settings, with those of the row."""
        given = self._task.settings.as_flat() | {
            "precision": way.precision,
            "backend": way.backend,
            "batch_size": way.batch_size,
            "detector": way.detector,
            "keep_detail": 0.0,
        }
        if way.network == "256":
            given |= self._small_network()
        if way.landmarks == "aligned":
            # No option that finds or chooses faces has a meaning for an aligned picture.
            usual = {each.name: each.default for each in fields(DetectOptions)}
            unused = {"template": PasteOptions().template, "upright": PasteOptions().upright}
            given |= usual | unused | {"detector": "none"}
        elif way.landmarks == "cached":
            assert self._album is not None
            given["landmarks"] = str(self._album.landmarks(way.detector))
        return Settings.from_flat(**given)

    def _small_network(self) -> dict[str, object]:
        """The options that name the network for small faces; none where the ladder's own is one."""
        weights = self._task.settings.weights
        if self._own_size <= _SMALL:
            return {}
        if weights.random_weights:
            return {"weights": f"random:{_SMALL_NETWORKS[0]}", "model": "auto"}
        there = [name for name in _SMALL_NETWORKS if present(name, weights)]
        return {"weights": None, "model": (there or _SMALL_NETWORKS)[0]}

    def _reported(self, *, interrupted: bool) -> Report:
        """The report of the rows so far."""
        if self._report is None or self._album is None:  # the first row was interrupted
            return Report("profile", __version__, verdict="interrupted")
        return replace(
            self._report,
            images=len(self._album.whole),
            faces=len(self._album.crops),
            warmup=self._task.warmup,
            runs=self._task.runs,
            ladder=self._rows,
            memory=MemoryPeaks(peak_bytes(self._device), host_peak_bytes()),
            verdict="interrupted" if interrupted else "all_done",
            advice=advice_of(self._rows),
        )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
