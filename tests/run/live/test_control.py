"""The choice of the quality step, against simulated machines: no clock, no thread."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gpen_fast.run.live.control import LiveSample, StepControl

# Seconds of the network for a frame at each step: three networks, every second frame, none.
COSTS = (0.4, 0.06, 0.018, 0.009, 0.0)
BEST, LITE, SECOND, NONE = 0, 2, 3, 4
# Seconds of following faces, and of what the network's thread does beside the network.
TRACK, PASTE = 0.012, 0.008


@dataclass
class Played:
    """What a simulated run did."""

    steps: list[tuple[float, int]] = field(default_factory=list)
    """When each step began."""
    latencies: list[tuple[float, float]] = field(default_factory=list)
    dropped: int = 0

    def changes(self, begin: float = 0, end: float = 1e9) -> int:
        return sum(begin < at <= end for at, _ in self.steps[1:])

    def step_at(self, at: float) -> int:
        return [step for began, step in self.steps if began <= at][-1]

    def p95(self, begin: float, end: float) -> float:
        held = sorted(each for at, each in self.latencies if begin <= at < end)
        return held[int(0.95 * len(held))]


def play(
    load: Callable[[float], float],
    seconds: float,
    *,
    fps: float = 25.0,
    costs: tuple[float, ...] = COSTS,
    faces: Callable[[float], int] = lambda at: 1,
    noise: float = 0.0,
    stall: tuple[float, float] = (-1.0, 0.0),
) -> Played:
    """Two threads with slots of one, on a machine that is `load` times as slow as alone.

    A frame that arrives while the first thread is busy, or waits for the second, replaces the one that waits.
    """
    draw = random.Random(3)
    control, played, number = StepControl(costs, fps, 0.1), Played(), 0
    played.steps.append((0.0, control.step))
    tracker_free = network_free = slot_free = handed = 0.0
    while number < seconds * fps:
        ready = max(tracker_free, slot_free)
        # The latest frame that has arrived by then, or the next one.
        latest = max(number, int(ready * fps))
        arrived = latest / fps
        dropped, number = latest - number, latest + 1
        slow = load(arrived) * (1 + noise * draw.expovariate(1.0) if noise else 1.0)
        step, shown = control.step, faces(arrived)
        track = 0.0 if step == len(costs) - 1 else TRACK * slow
        cost = costs[step] * shown * slow
        if step == len(costs) - 2:
            cost *= 2 * (latest % 2)
        line = cost + (PASTE * slow * (step < len(costs) - 1))
        begun = max(arrived, ready)
        tracked = begun + track
        if begun <= stall[0] < tracked + line:
            tracked += stall[1]
        started = max(tracked, network_free)
        slot_free = started
        tracker_free = tracked
        network_free = started + line
        # Frames are handed out in order, at the earliest when the one before was.
        handed = max(handed + 1e-6, network_free)
        played.latencies.append((arrived, handed - arrived))
        played.dropped += dropped
        control.frame(
            LiveSample(
                handed, step, handed - arrived, line, track, cost, dropped, shown * (step < len(costs) - 1)
            )
        )
        if control.step != played.steps[-1][1]:
            played.steps.append((handed, control.step))
    return played


def steady(load: float) -> Callable[[float], float]:
    return lambda at: load


@pytest.mark.parametrize(("load", "step"), [(0.05, 0), (0.4, 1), (1.0, LITE), (1.7, SECOND)])
def test_a_steady_load_finds_its_step_and_stays(load: float, step: int) -> None:
    played = play(steady(load), 180)
    assert played.step_at(180) == step
    assert played.changes() <= 4
    assert played.changes(begin=60) == 0
    assert played.p95(20, 180) <= 0.1
    assert played.p95(120, 180) <= played.p95(20, 80) + 0.002


def test_an_overloaded_machine_ends_at_pass_through_and_tries_ever_more_rarely() -> None:
    played = play(steady(4.0), 600)
    tries = [at for at, step in played.steps if step == SECOND and at > 0]
    assert played.steps[-1][1] == NONE or tries
    assert played.p95(10, 600) <= 0.1
    gaps = [later - one for one, later in itertools.pairwise(tries)]
    assert all(later > 1.4 * one for one, later in itertools.pairwise(gaps[:4]))
    assert max(gaps) >= 55


def test_the_first_step_is_the_best_whose_network_fits() -> None:
    assert StepControl(COSTS, 25, 0.1).step == LITE
    assert StepControl(COSTS, 2, 1.0).step == 1
    assert StepControl((0.001, 0.0005, 0.0), 25, 0.1).step == 0
    # Nothing fits: faces every second frame, since only the run tells.
    assert StepControl((9.0, 4.5, 0.0), 25, 0.1).step == 1


def test_a_step_load_is_answered_within_two_seconds_and_undone_after_it() -> None:
    played = play(lambda at: 2.2 if 30 <= at < 60 else 1.0, 120)
    assert played.step_at(29) == LITE
    assert played.step_at(32) == SECOND
    assert played.changes(30, 60) <= 2
    assert played.step_at(70) == LITE
    assert played.changes(begin=62) <= 2
    assert played.p95(33, 60) <= 0.12


def test_a_ramp_is_followed_down_and_up_without_growing_latency() -> None:
    def ramp(at: float) -> float:
        return 0.3 + 3.0 * min(at, 120 - at) / 60 if at < 120 else 0.3

    played = play(ramp, 180)
    assert played.step_at(1) == LITE
    assert played.step_at(60) in (SECOND, NONE)
    assert played.step_at(179) == 1
    assert played.changes() <= 14
    windows = [played.p95(at, at + 10) for at in range(0, 170, 10)]
    assert max(windows) <= 0.2
    assert windows[-1] <= 0.1


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_noise_does_not_move_it_to_and_fro(noise: float) -> None:
    played = play(steady(0.9), 300, noise=noise)
    assert played.changes() <= 6
    assert played.changes(begin=150) <= 2
    assert played.p95(20, 300) <= 0.12


@pytest.mark.parametrize("seconds", [0.15, 0.5, 1.0])
def test_one_stall_changes_nothing(seconds: float) -> None:
    played = play(steady(1.0), 60, stall=(30.0, seconds))
    assert played.changes() == 0
    assert played.p95(31.5, 60) <= 0.06


def test_a_network_far_too_slow_is_left_within_some_frames_for_one_that_fits() -> None:
    """More faces than expected: the best network is left for the first that fits, not for the next one down."""
    played = play(
        steady(1.0), 30, costs=(0.02, 0.019, 0.0015, 0.0007, 0.0), faces=lambda at: 1 if at < 10 else 20
    )
    assert played.step_at(9) == 0
    assert played.step_at(14) == 2
    assert played.changes() <= 2


def test_no_face_in_sight_is_no_reason_to_step_up() -> None:
    played = play(lambda at: 2.2 if at < 20 else 1.0, 60, faces=lambda at: int(at < 25))
    held = played.step_at(24.9)
    assert played.step_at(59) == held


def test_dropping_frames_that_nobody_asked_for_is_no_miss() -> None:
    """Sixty frames a second arrive, fifteen are asked for."""
    control = StepControl((0.04, 0.02, 0.0), 15, 0.2)
    for number in range(600):
        control.frame(LiveSample(number * 0.06, control.step, 0.09, 0.045, 0.01, 0.04, 3, 1))
    assert control.step == 0
