"""Reports of made-up processes, whose times are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from reports import report_of

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import StageRow
from gpen_fast.measure.samples import ProcessSamples
from gpen_fast.measure.stats import summarise

# Milliseconds of a call: align takes too little to be judged, load takes over 5 % but little, crop 3 %.
STAGES_MS = {
    "load": 12.0,
    "detect": 40.0,
    "align": 0.2,
    "crop": 4.0,
    "generate": 60.0,
    "paste": 20.0,
    "save": 15.0,
}


def process_of(
    number: int,
    rng: np.random.Generator,
    *,
    slower: dict[str, float] | None = None,
    machine: float = 1.0,
    noise: float = 0.02,
    runs: int = 10,
) -> ProcessSamples:
    """A process that ended `number` minutes after midnight; its machine factor is common to all stages."""
    speed = machine * float(np.exp(rng.normal(0, noise)))
    host = {
        stage: [
            round(ms * speed * (slower or {}).get(stage, 1.0) * float(np.exp(rng.normal(0, noise / 2))), 4)
            for _ in range(runs)
        ]
        for stage, ms in STAGES_MS.items()
    }
    wall = [round(sum(times) + 1.0, 4) for times in zip(*host.values(), strict=True)]
    ended = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()
    return ProcessSamples(ended, wall, host, {})


def report_with(*processes: ProcessSamples, **changed: object) -> Report:
    """The report of these processes."""
    wall = [ms for each in processes for ms in each.wall_ms]
    rows = []
    for stage in STAGES_MS:
        times = [ms for each in processes for ms in each.host_ms.get(stage, [])]
        summary = summarise(times)
        share = round(sum(times) / sum(wall), 4)
        rows.append(
            StageRow(
                stage, len(times), len(times), False, None, summary and summary.rounded(), share,
                round(sum(times), 4),
            )
        )  # fmt: skip
    summary = summarise(wall)
    assert summary is not None
    report = report_of(
        stages=rows, wall_ms=summary.rounded(), processes=list(processes), runs=len(wall), images=len(wall),
        faces=len(wall), input_sha256="1" * 64,
    )  # fmt: skip
    return replace(report, **changed)


def sides_of(
    seed: int = 0,
    count: int = 5,
    *,
    apart: bool = False,
    machine: float = 1.0,
    noise: float = 0.02,
    **slower: float,
) -> tuple[list[Report], list[Report]]:
    """Two sides of `count` processes, in turns or one after the other; the new side's stages are that much slower.

    machine: how much slower the machine was on the new side.
    """
    rng = np.random.default_rng(seed)
    old, new = [], []
    for number in range(count):
        times = (number, 1000 + number) if apart else (4 * number, 4 * number + (1 if number % 2 else -1))
        old.append(report_with(process_of(times[0], rng, noise=noise)))
        made = process_of(times[1], rng, slower=slower, machine=machine, noise=noise)
        new.append(report_with(made))
    return old, new
