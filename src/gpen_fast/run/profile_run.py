"""`profile`: restores one picture again and again, without overlap."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import reset_peak
from gpen_fast.device.streams import synchronize
from gpen_fast.files import write_file
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.measure.samples import inputs_sha256
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.job import Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.report import profile_report
from gpen_fast.run.runtime import Runtime
from gpen_fast.stages.save.base import open_writer


class RunCount(Protocol):
    """Is told how far `profile` is."""

    def ran(self, number: int, ms: float) -> None:
        """The run of that number, from 1, has ended after so many milliseconds; those that do not count come first."""


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
    device = runtime.device
    reset_peak(device)
    clock = Clock(Recorder(), make_event=event_maker(device), wait=lambda: synchronize(device))
    with tempfile.TemporaryDirectory(prefix="gpen-fast-") as folder:
        target = Path(folder) / "restored.png"
        first, _ = _run(runtime, path, target, clock)
        progress.ran(1, first)
        for number in range(warmup):
            progress.ran(2 + number, _run(runtime, path, target, clock)[0])
        recorder = clock.recorder = Recorder()
        wall, faces = [], 0
        for number in range(runs):
            ms, pasted = _run(runtime, path, target, clock)
            wall.append(ms)
            faces += len(pasted.faces)
            progress.ran(2 + warmup + number, ms)
    report = profile_report(
        runtime, recorder, wall, faces=faces, warmup=warmup, first_call_ms=first, target_fps=target_fps
    )
    return replace(report, input_sha256=inputs_sha256([path]))


def _run(runtime: Runtime, path: Path, target: Path, clock: Clock) -> tuple[float, Pasted]:
    """One restoration from file to file: its wall time in ms, by a timer of its own, and the picture."""
    pipeline = Pipeline(runtime, clock)
    writer = open_writer(target.suffix.removeprefix("."))

    def write(picture: Pasted) -> None:
        write_file(target, writer.encode(picture.result, quality=95))

    start = time.perf_counter_ns()
    pasted = pipeline.restore(PictureSource(0, path))
    pipeline.save(pasted, write)
    ms = (time.perf_counter_ns() - start) / NS_PER_MS
    clock.finish()
    return ms, pasted
