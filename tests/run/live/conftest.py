"""A runtime of a small network, and live runs with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import clip_pixels
from live_ends import ListSink, ListSource, Told

from gpen_fast.measure.report import Report
from gpen_fast.run.live.run import LiveEnds, run_live
from gpen_fast.run.live.steps import EVERY_SECOND, PASS_THROUGH, QualityStep
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import LiveOptions, Settings


@pytest.fixture(scope="session")
def small(tiny_weights: Path) -> Runtime:
    """The project's own detector, and a network of 64 pixels."""
    return load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="lite", precision="fp32", keep_detail=0.0)
    )


@pytest.fixture
def steps(small: Runtime) -> list[QualityStep]:
    """A network that costs nothing, every second frame, and pass through."""
    return [
        QualityStep("tiny", small, 1, 0.0002),
        QualityStep(EVERY_SECOND, small, 2, 0.0001),
        QualityStep(PASS_THROUGH, small, 0, 0.0),
    ]


@pytest.fixture(scope="session")
def passing() -> list[np.ndarray]:
    """Forty frames of a face that passes."""
    return clip_pixels("pan", 40, 180, noise=4.0)


@pytest.fixture
def play(steps: list[QualityStep]):
    """Runs frames from a source to a sink; the latency that is allowed is long, as tests share the machine."""

    def run(source: ListSource, sink: ListSink | None = None, **options: object) -> tuple[Report, ListSink]:
        sink = sink or ListSink()
        stopped = options.pop("stopped", None)
        given = options.pop("steps", steps)
        chosen = LiveOptions(**{"out": "none", "max_latency": 20_000.0, **options})  # type: ignore[arg-type]
        told = Told()
        report = run_live(given, LiveEnds(source, "clip", sink), chosen, told, stopped)  # type: ignore[arg-type]
        assert told.frames == len(sink.frames)
        return report, sink

    return run
