"""The interval of a ratio of times: it holds the truth as often as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpen_fast.measure.bootstrap import log_centres, log_ratio, t_quantile

ZEROS = np.zeros(5), np.zeros(5)


def processes(rng: np.random.Generator, ms: float, count: int = 5, runs: int = 10) -> list[list[float]]:
    """Times that vary by 5 % from process to process and by 3 % from run to run."""
    levels = ms * np.exp(rng.normal(0, 0.05, count))
    return [list(level * np.exp(rng.normal(0, 0.03, runs))) for level in levels]


# Of published tables.
@pytest.mark.parametrize(
    ("probability", "freedom", "wanted"),
    [(0.975, 1, 12.706), (0.975, 4, 2.776), (0.995, 8, 3.355), (0.975, 1000, 1.962), (0.5, 3, 0.0)],
)
def test_quantiles_of_students_t(probability: float, freedom: int, wanted: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_the_interval_holds_the_true_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        found = log_ratio(processes(rng, 100.0), processes(rng, 120.0), ZEROS, level=0.9)
        held += abs(found.estimate - math.log(1.2)) <= found.half_width
    assert 0.87 <= held / 400 <= 0.97


def test_the_interval_narrows_with_more_processes() -> None:
    rng = np.random.default_rng(4)
    widths = []
    for count in (4, 16, 64):
        zeros = np.zeros(count), np.zeros(count)
        sides = processes(rng, 50.0, count), processes(rng, 50.0, count)
        widths.append(log_ratio(*sides, zeros, level=0.95).half_width)
    assert widths[0] > 1.4 * widths[1] > 1.4 * 1.4 * widths[2]


def test_runs_that_differ_within_a_process_widen_it() -> None:
    steady = [[10.0] * 9, [10.1] * 9, [9.9] * 9]
    jumpy = [[8.0, 10.0, 12.0] * 3, [8.1, 10.1, 12.1] * 3, [7.9, 9.9, 11.9] * 3]
    zeros = np.zeros(3), np.zeros(3)
    narrow = log_ratio(steady, steady, zeros, level=0.95)
    assert log_ratio(steady, jumpy, zeros, level=0.95).half_width > 3 * narrow.half_width


def test_speeds_are_taken_off() -> None:
    slow = [[20.0], [22.0], [19.0]]
    speeds = np.zeros(3), np.full(3, math.log(2))
    found = log_ratio([[10.0], [11.0], [9.5]], slow, speeds, level=0.95)
    assert found.estimate == pytest.approx(0.0, abs=1e-12)


def test_processes_of_other_lengths_and_times_of_zero_have_a_ratio() -> None:
    zeros = np.zeros(2), np.zeros(2)
    found = log_ratio([[1.0], [1.0, 2.0, 3.0]], [[0.0], [0.0, 0.0]], zeros, level=0.95)
    assert found.estimate < -5
    assert math.isfinite(found.half_width)


def test_the_same_samples_give_the_same_interval() -> None:
    rng = np.random.default_rng(5)
    sides = processes(rng, 10.0), processes(rng, 11.0)
    assert log_ratio(*sides, ZEROS, level=0.95) == log_ratio(*sides, ZEROS, level=0.95)


def test_a_process_counts_by_the_first_quartile_of_its_runs() -> None:
    runs = [9.0, math.e, 30.0, 1.0, 40.0, 20.0, 50.0, 60.0]
    assert log_centres([runs, [1.0]]) == pytest.approx([1.0, 0.0])


def test_runs_that_are_held_up_do_not_widen_it() -> None:
    steady = [[10.0, 10.1, 9.9, 10.0, 10.2, 9.8, 10.1, 10.0]] * 3
    held_up = [[10.0, 10.1, 9.9, 10.0, 10.2, 300.0, 9.8, 70.0]] * 3
    zeros = np.zeros(3), np.zeros(3)
    found = log_ratio(steady, held_up, zeros, level=0.95)
    assert abs(found.estimate) < 0.02
    assert found.half_width < 0.2  # by the median it is 0.64
