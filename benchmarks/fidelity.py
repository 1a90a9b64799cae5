"""How far the times that `profile` reports can be trusted.

Method. One picture at a time, as `profile` restores it.

- `unaccounted`: the wall time of a run by a timer around it, minus the host times of its stages, over the wall time.
- `agreement`: each stage against torch.profiler in the same run. On CUDA the device time against the span from the
  start of the stage's first kernel to the end of its last one; on a CPU the host time against a `record_function` range
  inside the stage. Stages below 2 ms are listed, and not judged.
- `clock`: runs of an aligned face with the clock that `enhance` has against runs whose clock does nothing, in turns
  ABBA on one thread. Such a picture is the shortest, so that the clock weighs most. The figure is the median of the
  ratios of a turn, with the interval that holds 95 of 100 bootstrapped medians. On a CPU it is one of processor time:
  on one thread that is the same cost, without what other processes take.
- `trace`: likewise runs whose calls go to a timeline, too, against runs with the clock alone. `counters` is the share
  of one core that the timeline's counters take, ten samples a second.

Usage: python benchmarks/fidelity.py [--models gpen-lite-256 random:gpen-bfr-512] [--turns 400] [--commit]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import torch
from stages import PICTURE, add_commit, results_folder
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile, record_function

from gpen_fast import __version__
from gpen_fast.cli.trace_file import trace_file
from gpen_fast.device.events import event_maker
from gpen_fast.device.streams import synchronize
from gpen_fast.measure.clock import Clock, Span
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.job import Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.profile_run import profile_picture
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.tracing import memory_gauge, traced_clock
from gpen_fast.settings import STAGES, Settings
from gpen_fast.stages.save.base import open_writer

PREFIX = "stage "
LEAST_MS = 2.0
# A timeline's counters are read so often, and here so many times.
COUNTERS_HZ, SAMPLES = 10, 1000


class RangedSpan(Span):
    """A span whose parts are ranges of torch.profiler, too."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.range = record_function(PREFIX + self.stage)
        self.range.__enter__()
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        self.range.__exit__(None, None, None)
        super().__exit__(kind, *exception)


class RangedClock(Clock):
    """A clock whose spans torch.profiler sees."""

    def open(
        self, stage: str, *, items: int = 1, on_device: bool = True, pictures: tuple[int, ...] = ()
    ) -> Span:
        """A span that is a range of torch.profiler."""
        pair = super().open(stage, items=items, on_device=on_device).pair
        return RangedSpan(self, stage, items, pair, pictures)


class StillSpan(Span):
    """A span that measures nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        return None


class StillClock(Clock):
    """A clock that measures nothing: timing is off."""

    @contextmanager
    def span(
        self, stage: str, *, items: int = 1, on_device: bool = True, pictures: tuple[int, ...] = ()
    ) -> Iterator[Span]:
        """A span that measures nothing."""
        yield StillSpan(self, stage, items, None)

    def open(
        self, stage: str, *, items: int = 1, on_device: bool = True, pictures: tuple[int, ...] = ()
    ) -> Span:
        """A span that measures nothing."""
        return StillSpan(self, stage, items, None)

    def close(self, span: Span) -> None:
        """Does nothing."""


class Runs:
    """Takes the progress of `profile`, and shows none."""

    def ran(self, number: int, ms: float) -> None:
        """Does nothing."""

    def failed(self, path: Path, why: str) -> None:
        """Does nothing."""


def main() -> None:
    """Measures each model, prints the figures and writes them."""
    options = _options()
    rows = [_measured(name, options) for name in options.models]
    document = {
        "schema": 1, "suite": "fidelity", "version": __version__, "commit": commit(),
        "device": device_facts(torch.device(options.device)).__dict__, "rows": rows,
    }  # fmt: skip
    print(json.dumps(rows, indent=1))
    write_json(document, results_folder(options.commit) / "fidelity.json")


def _measured(name: str, options: argparse.Namespace) -> dict[str, object]:
    kind = "weights" if name.startswith("random:") else "model"
    settings = Settings.from_flat(device=options.device, detector="lite", offline=True, **{kind: name})
    runtime = load_runtime(settings)
    report = profile_picture(runtime, PICTURE, runs=options.runs, warmup=3, target_fps=30.0, progress=Runs())
    assert report.wall_ms is not None and report.unaccounted_ms is not None, "a profile has a wall time"
    row: dict[str, object] = {
        "model": name,
        "precision": runtime.precision.name,
        "wall_ms": report.wall_ms.mean,
        "unaccounted": round(report.unaccounted_ms / report.wall_ms.mean, 5),
        "agreement": _agreement(runtime, options.runs),
    }
    if not name.endswith(("512", "1024", "2048")):
        aligned = Settings.from_flat(device=options.device, detector="none", offline=True, **{kind: name})
        face = load_runtime(aligned)
        row["clock"] = _clock_cost(face, options.turns)
        row["trace"] = _trace_cost(face, options.turns)
    return row


def _agreement(runtime: Runtime, runs: int) -> list[dict[str, object]]:
    """Each stage by the clock and by torch.profiler, milliseconds a run."""
    device = runtime.device
    wait: Callable[[], None] = lambda: synchronize(device)  # noqa: E731
    clock = RangedClock(Recorder(), make_event=event_maker(device), wait=wait)
    run = _run_of(runtime, clock)
    with profile(activities=[ProfilerActivity.CPU]):
        run()  # the profiler's own first call is slow
    clock.finish()
    clock.recorder = Recorder()
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device.type == "cuda" else [])
    with profile(activities=activities) as profiler:
        for _ in range(runs):
            run()
    clock.finish()
    seen = _kernel_ms(profiler) if device.type == "cuda" else _range_ms(profiler)
    rows: list[dict[str, object]] = []
    for stage in STAGES:
        series = clock.recorder.series[stage]
        own = (series.device if series.device.count else series.host).total / runs
        # A stage without device work is compared by its range on CUDA too.
        other = seen.get(stage, _range_ms(profiler).get(stage, 0.0)) / runs
        rows.append(
            {
                "stage": stage,
                "clock_ms": round(own, 4),
                "profiler_ms": round(other, 4),
                "ratio": round(own / other, 4) if other else None,
                "judged": own >= LEAST_MS,
            }
        )
    return rows


def _range_ms(profiler: profile) -> dict[str, float]:
    """Summed length of each stage's ranges on the host."""
    summed: dict[str, float] = {}
    for event in profiler.events() or []:
        if event.name.startswith(PREFIX) and event.device_type == DeviceType.CPU:
            stage = event.name.removeprefix(PREFIX)
            summed[stage] = summed.get(stage, 0.0) + event.time_range.elapsed_us() / 1e3
    return summed


def _kernel_ms(profiler: profile) -> dict[str, float]:
    """For each stage the summed spans from its first kernel's start to its last one's end.

    The clock waits for the device at the end of each part, so a kernel belongs to the last range that began before it.
    """
    events = sorted(profiler.events() or [], key=lambda event: event.time_range.start)
    spans: list[tuple[str, list[float]]] = []
    for event in events:
        if event.name.startswith(PREFIX):
            if event.device_type == DeviceType.CPU:
                spans.append((event.name.removeprefix(PREFIX), []))
        elif event.device_type == DeviceType.CUDA and spans:
            spans[-1][1].extend((event.time_range.start, event.time_range.end))
    summed: dict[str, float] = {}
    for stage, times in spans:
        if times:
            summed[stage] = summed.get(stage, 0.0) + (max(times) - min(times)) / 1e3
    return summed


def _clock_cost(runtime: Runtime, turns: int) -> dict[str, object]:
    """Time of a run with the clock of `enhance` over that of a run without."""
    on = _run_of(runtime, Clock(Recorder(), make_event=event_maker(runtime.device)))
    off = _run_of(runtime, StillClock(Recorder()))
    return _cost(on, off, runtime.device, turns)


def _trace_cost(runtime: Runtime, turns: int) -> dict[str, object]:
    """Time of a run whose spans go to a timeline, too, over that of a run without; and what its counters take."""
    off = _run_of(runtime, Clock(Recorder(), make_event=event_maker(runtime.device)))
    with (
        tempfile.TemporaryDirectory() as folder,
        trace_file(Path(folder) / "trace.json", "fidelity", lambda index: str(PICTURE)) as trace,
    ):
        timeline = trace.timeline
        assert timeline is not None, "a file was named"
        on = _run_of(runtime, traced_clock(runtime, Recorder(sink=timeline)))
        began = time.process_time()
        for _ in range(SAMPLES):
            timeline.count(memory_gauge(runtime))
        sample_s = (time.process_time() - began) / SAMPLES
        return _cost(on, off, runtime.device, turns) | {"counters": round(COUNTERS_HZ * sample_s, 6)}


def _cost(
    on: Callable[[], None], off: Callable[[], None], device: torch.device, turns: int
) -> dict[str, object]:
    """Time of `on` over that of `off`, in turns on one thread; the first twentieth of the turns warms up."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ratios = []
    for _ in range(turns):
        first, second, third, fourth = (_milliseconds(run, device) for run in (on, off, off, on))
        ratios.append((first + fourth) / (second + third))
    torch.set_num_threads(threads)
    ratios = ratios[turns // 20 :]
    low, high = _interval(ratios)
    return {"ratio": round(statistics.median(ratios), 5), "low": low, "high": high, "turns": turns}


def _interval(values: list[float]) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the medians of 2000 resamples."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(2000))
    return round(medians[50], 5), round(medians[-50], 5)


def _milliseconds(run: Callable[[], None], device: torch.device) -> float:
    now = time.process_time_ns if device.type == "cpu" else time.perf_counter_ns
    began = now()
    run()
    synchronize(device)
    return (now() - began) / NS_PER_MS


def _run_of(runtime: Runtime, clock: Clock) -> Callable[[], None]:
    """One picture from file to file."""
    pipeline, writer = Pipeline(runtime, clock), open_writer("png")
    target = Path(tempfile.mkdtemp(prefix="gpen-fast-")) / "one.png"

    def write(picture: Pasted) -> None:
        target.write_bytes(writer.encode(picture.result, quality=95))

    def run() -> None:
        pipeline.save(pipeline.restore(PictureSource(0, PICTURE)), write)

    return run


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["gpen-lite-256", "random:gpen-bfr-512"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--runs", type=int, default=20, help="runs of the first two figures")
    parser.add_argument("--turns", type=int, default=400, help="turns of the third")
    add_commit(parser)
    options = parser.parse_args()
    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() else "cpu"
    return options


if __name__ == "__main__":
    main()
