"""Plants a bottleneck in runs of `enhance` and counts how often the report names it.

Method: each try restores 12 to 20 small portraits with a network of 64 pixels and a detector that costs nothing. One
part is made slow by a sleep: the reader, the detector (by chance that of readers or that of the worker), the disk (the
write of a result), or the network. A picture then takes that part 0.15 to 0.35 s, whatever the number of readers and
writers that share the sleeps: much longer than all else. Sizes, batch and sleep are drawn anew for each try. For the
first three parts the largest cause of the network's idle time must be the planted one; for the slow network, its share
of running must be larger than any cause. `threads` is one worker in the program's own process; `processes` is
--devices cpu:2. A try in which the whole process stood still for half a second, as on a shared machine, is made
again and counted apart.

Usage: python benchmarks/idle_causes.py [--tries 20] [--seed 0] [--part load|detect|save|generate]
    [--form threads|processes]
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from safetensors.torch import save_file

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run import pipeline, sink
from gpen_fast.run.enhance import run_enhance
from gpen_fast.run.plan import Item, Plan
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import OutputOptions, Settings
from gpen_fast.types import Face, Frame

EXAMPLE = Path(__file__).parents[1] / "examples" / "grace_hopper-degraded.jpg"
PARTS = ("load", "detect", "save", "generate")
DEVICES = {"threads": "cpu:1", "processes": "cpu:2"}


class MiddleFace:
    """One face in the middle of every picture."""

    name, threshold, bound, weights = "middle", 0.5, None, None
    box_points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.3, 0.8], [0.7, 0.8]])

    def __init__(self, *, on_host: bool, sleep_s: float = 0.0) -> None:
        self.on_host = on_host
        self._sleep_s = sleep_s

    def __call__(self, frame: Frame) -> list[Face]:
        """Returns the one face, after a while."""
        time.sleep(self._sleep_s)
        x, y, half = frame.width / 2, frame.height / 2, min(frame.width, frame.height) / 4
        return [Face((x - half, y - half, x + half, y + half), 1.0)]


class Heartbeat:
    """Notices whether the process stands still while the block runs."""

    def __enter__(self) -> Heartbeat:
        self._ended = threading.Event()
        self._longest = 0.0
        self._thread = threading.Thread(target=self._beat)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def stood_still(self) -> bool:
        """Whether half a second passed between two beats, which are 20 ms apart."""
        return self._longest > 0.5

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(0.02):
            now = time.monotonic()
            self._longest, last = max(self._longest, now - last), now


class Silent:
    """Shows no progress."""

    def advance(self, row: PictureRow) -> None:
        """Nothing."""


def main() -> int:
    """Runs the tries and prints the counts. Exit status 1 if one names another part."""
    options = _options()
    rng, missed, again = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for form in [options.form] if options.form else DEVICES:
            runtime = _runtime(Path(folder) / "small.safetensors", DEVICES[form])
            hands = _hands(form)
            for part in [options.part] if options.part else PARTS:
                reports = []
                while len(reports) < options.tries:
                    with Heartbeat() as heart:
                        report = _planted(runtime, part, rng, hands)
                    reports += [] if heart.stood_still else [report]
                    again += heart.stood_still
                missed += _told(form, part, reports)
    print(f"made again, because the machine stood still: {again}")
    return int(missed > 0)


def _told(form: str, part: str, reports: Sequence[Report]) -> int:
    """Prints what the reports of one planted part name; returns how many name another."""
    named = [_named(each) for each in reports]
    others = sorted({name for name in named if name != part})
    right = named.count(part)
    print(f"{form}, slow {part}: {right} of {len(named)}" + (f", else {others}" if others else ""))
    print(f"    {_spread(reports)}", flush=True)
    return len(named) - right


def _runtime(weights: Path, devices: str) -> Runtime:
    """A small network of random weights, on one worker or on two processes."""
    save_file(
        random_state(config_from_arguments(64, style_dim=64, channel_multiplier=1, narrow=0.125)), weights
    )
    return load_runtime(
        Settings.from_flat(weights=str(weights), detector="lite", devices=devices, keep_detail=0.0)
    )


def _hands(form: str) -> int:
    """How many readers, or writers, one worker has."""
    return min(4, os.cpu_count() or 1) if form == "threads" else 1


def _planted(runtime: Runtime, part: str, rng: random.Random, hands: int) -> Report:
    """One run with a slow part."""
    on_host, sleep_s = rng.random() < 0.5, rng.uniform(0.15, 0.35)
    if part in ("load", "save") or (part == "detect" and on_host):
        sleep_s *= hands
    made = replace(
        runtime, detector=MiddleFace(on_host=on_host, sleep_s=sleep_s if part == "detect" else 0.0)
    )
    made.generator.batch_size = rng.randint(1, 4)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as planted:
        if slow := _slow(made, part, sleep_s):
            planted.enter_context(slow)
        return run_enhance(made, _plan(Path(folder), rng), OutputOptions(), Silent())


def _slow(runtime: Runtime, part: str, sleep_s: float) -> AbstractContextManager[object] | None:
    """Makes one part slow while the context lasts; None for the detector, which is slow by itself."""
    if part == "load":
        return patch.object(pipeline, "load", _after(sleep_s, pipeline.load))
    if part == "save":
        return patch.object(sink, "write_file", _after(sleep_s, sink.write_file))
    if part == "generate":
        generator = runtime.generator
        launch = generator.launch_no_sync

        def slow_launch(crops: Sequence[object]) -> object:
            time.sleep(sleep_s * len(crops))
            return launch(crops)  # type: ignore[arg-type]

        return patch.object(generator, "launch_no_sync", slow_launch)
    return None


def _after(sleep_s: float, function: Callable[..., object]) -> Callable[..., object]:
    def slow(*given: object, **options: object) -> object:
        time.sleep(sleep_s)
        return function(*given, **options)

    return slow


def _plan(folder: Path, rng: random.Random) -> Plan:
    """Copies of one portrait in several sizes."""
    picture, items = cv2.imread(str(EXAMPLE)), []
    assert picture is not None
    (folder / "in").mkdir()
    for number in range(rng.randint(12, 20)):
        side = rng.randint(160, 400)
        path = folder / f"in/{number:02d}.jpg"
        cv2.imwrite(str(path), cv2.resize(picture, (side, side)))
        items.append(Item(path, folder / f"out/{number:02d}.png"))
    return Plan(items)


def _named(report: Report) -> str:
    """What the report names first: the largest cause, or the network where it ran for longer."""
    (row,) = report.idle
    return max({**row.causes, "generate": 1 - row.share}.items(), key=lambda each: each[1])[0]


def _spread(reports: Sequence[Report]) -> str:
    """The smallest and the largest share of each cause."""
    shares: dict[str, list[float]] = {}
    for report in reports:
        (row,) = report.idle
        for name, share in {**row.causes, "generate": 1 - row.share}.items():
            shares.setdefault(name, []).append(share)
    return ", ".join(f"{name} {min(each):.0%} to {max(each):.0%}" for name, each in shares.items())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--form", choices=DEVICES)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
