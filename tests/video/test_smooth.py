"""The one-euro filter."""

from __future__ import annotations

import numpy as np
import pytest

from gpen_fast.video.smooth import EuroFilter, EuroState

STILL = EuroFilter(least_hz=0.5, hz_per_speed=0.0)


def run(filter: EuroFilter, values: np.ndarray, rate: float) -> list[EuroState]:
    states: list[EuroState] = []
    for value in values:
        states.append(filter.step(states[-1] if states else None, np.full((1, 2), value), 1 / rate))
    return states


def test_noise_becomes_small_and_the_first_values_are_averaged() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 2000)
    smoothed = np.array([each.value[0, 0] for each in run(STILL, noise, 25)])
    assert smoothed[100:].std() < 0.3
    assert smoothed[3] == pytest.approx(noise[:4].mean())


@pytest.mark.parametrize("rate", [25, 50])
def test_a_step_takes_the_same_seconds_at_every_rate(rate: int) -> None:
    settled, step = np.zeros(4 * rate), np.ones(rate)
    values = [each.value[0, 0] for each in run(STILL, np.concatenate([settled, step]), rate)]
    # After the filter's time constant, 1 / (2 pi 0.5 Hz), a step has come to 63%.
    assert values[4 * rate + round(rate / np.pi) - 1] == pytest.approx(1 - np.exp(-1), abs=0.05)


def test_quick_changes_are_followed_and_slow_ones_are_smoothed() -> None:
    quick = EuroFilter(least_hz=0.5, hz_per_speed=5.0)
    ramp = np.concatenate([np.zeros(50), np.arange(50) * 0.2])
    lags = [ramp[-1] - run(each, ramp, 25)[-1].value[0, 0] for each in (STILL, quick)]
    assert lags[1] < lags[0] / 10
    tremble = 0.002 * np.random.default_rng(0).normal(0, 1, 500)
    deviations = [np.std([each.value for each in run(one, tremble, 25)][100:]) for one in (STILL, quick)]
    assert deviations[1] < 1.4 * deviations[0]


def test_a_jump_is_followed_within_two_frames_and_noise_is_not() -> None:
    held = EuroFilter(least_hz=0.5, hz_per_speed=0.0, most_off=0.5)
    noise = 0.02 * np.random.default_rng(0).normal(0, 1, 100)
    values = [each.value[0, 0] for each in run(held, np.concatenate([noise, 10 + noise]), 25)]
    assert values[100] == pytest.approx(10, abs=0.5)
    assert values[101] == pytest.approx(10, abs=0.05)
    assert np.std(values[150:]) < 0.02
    plain = [each.value[0, 0] for each in run(STILL, noise, 25)]
    assert values[:100] == plain
