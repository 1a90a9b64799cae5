"""Runs of `enhance` over a few small pictures, and parts of them made slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from helpers import write_photo

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.enhance import run_enhance
from gpen_fast.run.plan import Item, Plan
from gpen_fast.run.runtime import Runtime
from gpen_fast.settings import OutputOptions

# Seconds: longer than everything else that one of these small pictures takes.
SLOW = 0.15


class Silent:
    def advance(self, row: PictureRow) -> None:
        """Shows nothing."""


def small_plan(folder: Path, count: int) -> Plan:
    paths = [write_photo(folder / "in" / f"{i:02d}.png", seed=i) for i in range(count)]
    return Plan([Item(path, folder / "out" / path.name) for path in paths])


def run_small(runtime: Runtime, work: Plan, *beside: Runtime) -> Report:
    return run_enhance(runtime, work, OutputOptions(), Silent(), beside=beside)


def slowed(function: Callable[..., object]) -> Callable[..., object]:
    def slow(*given: object, **options: object) -> object:
        time.sleep(SLOW)
        return function(*given, **options)

    return slow
