"""`profile`: one picture, again and again, nothing overlapped."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import reset_peak
from gpen_fast.device.streams import synchronize
from gpen_fast.files import write_file
from gpen_fast.measure.clock import NS_PER_MS, Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report, stage_rows
from gpen_fast.run.pipeline import Job, Pipeline
from gpen_fast.run.runtime import Runtime
from gpen_fast.stages.save.base import open_writer


def profile_picture(runtime: Runtime, path: Path, *, runs: int, warmup: int) -> Report:
    """Restores `path` and saves it as PNG: once apart, `warmup` times uncounted and `runs` times counted.

    Raises PictureError or OSError where the picture cannot be read, GenerateError where the network fails.
    """
    device = runtime.device
    reset_peak(device)
    clock = Clock(Recorder(), make_event=event_maker(device), wait=lambda: synchronize(device))
    with tempfile.TemporaryDirectory(prefix="gpen-fast-") as folder:
        target = Path(folder) / "restored.png"
        first, _ = _run(runtime, path, target, clock)
        for _ in range(warmup):
            _run(runtime, path, target, clock)
        recorder = clock.recorder = Recorder()
        wall, faces = [], 0
        for _ in range(runs):
            ms, job = _run(runtime, path, target, clock)
            wall.append(ms)
            faces += len(job.faces or ())
    stages = stage_rows(recorder, sum(wall), aligned=runtime.settings.aligned, first_apart=False)
    unaccounted = (sum(wall) - recorder.total_host_ms()) / runs
    return Report(
        "profile", runtime, stages, wall, runs, faces,
        first_call_ms=first, unaccounted_ms=unaccounted, warmup=warmup, runs=runs,
    )  # fmt: skip


def _run(runtime: Runtime, path: Path, target: Path, clock: Clock) -> tuple[float, Job]:
    """One restoration from file to file: its wall time, by a timer of its own, and the job."""
    pipeline = Pipeline(runtime, clock)
    writer = open_writer(target.suffix.removeprefix("."))

    def write(job: Job) -> None:
        assert job.result is not None
        write_file(target, writer.encode(job.result, quality=95))

    start = time.perf_counter_ns()
    job = pipeline.restore(path)
    pipeline.save(job, write)
    ms = (time.perf_counter_ns() - start) / NS_PER_MS
    clock.finish()
    return ms, job
