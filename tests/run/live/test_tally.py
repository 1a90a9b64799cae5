"""What is counted of a live run."""

from __future__ import annotations

import numpy as np
import pytest

from gpen_fast.run.live.line import LiveDone
from gpen_fast.run.live.tally import LiveTally
from gpen_fast.run.video.frames import DoneFrame
from gpen_fast.video.segment import FrameTime


def done(arrived: float, step: int = 0, **known: object) -> LiveDone:
    frame = DoneFrame(0, None, FrameTime(0, 1), **known)  # type: ignore[arg-type]
    return LiveDone(frame, arrived, arrived, step, 0.0, 0.0, 0.0, 0)


def test_percentiles_are_those_of_all_latencies() -> None:
    tally, draw = LiveTally(["a", "b"]), np.random.default_rng(0)
    latencies = draw.gamma(4.0, 0.01, 5000)
    now = 0.0
    for number, latency in enumerate(latencies):
        now = 10 + number * 0.5
        tally.add(done(now - latency), now, number // 2)
    made = tally.latency()
    wanted = np.percentile(latencies, [50, 95, 99, 100]) * 1e3
    assert (made.p50, made.p95, made.p99, made.max) == pytest.approx(tuple(wanted), abs=0.4)
    assert (tally.delivered, tally.dropped) == (5000, 2499)
    assert len(tally._latencies) < 2000


def test_the_time_goes_to_the_step_of_the_frame_that_ends_it() -> None:
    tally = LiveTally(["a", "b", "c"])
    for now, step in ((1.1, 0), (2.0, 0), (4.0, 1), (5.0, 0)):
        tally.add(done(now - 0.1, step), now, 0)
    assert tally.steps() == {"a": 2.0, "b": 2.0}
    assert tally.seconds == pytest.approx(4.0)
    assert tally.fps == pytest.approx(1.0)
    assert tally.step == "a"


def test_the_present_figures_are_of_the_last_two_seconds() -> None:
    tally = LiveTally(["a"])
    for number in range(40):
        late = 0.5 if number < 20 else 0.05
        tally.add(done(number * 0.1 - late), number * 0.1, 0)
    fps, latency = tally.present()
    assert fps == pytest.approx(10)
    assert latency == pytest.approx(0.05, abs=0.03)


def test_nothing_handed_out_has_no_figures() -> None:
    tally = LiveTally(["a"])
    assert (tally.latency(), tally.fps, tally.present(), tally.steps()) == (None, None, (0.0, 0.0), {})


def test_faces_and_failures_are_counted() -> None:
    tally = LiveTally(["a"])
    tally.add(done(0.0, faces=2, kept=1, left_out=3), 0.1, 0)
    tally.add(done(0.2, error=ValueError("first")), 0.3, 0)
    tally.add(done(0.4, error=ValueError("second")), 0.5, 0)
    assert (tally.faces, tally.kept, tally.left_out, tally.unrestored) == (2, 1, 3, 2)
    assert tally.first_error == "ValueError: first"
