"""Summary figures."""

from __future__ import annotations

import numpy as np
import pytest

from gpen_fast.measure.stats import RunningStats, rounded, summarise


def test_summary_of_known_values() -> None:
    summary = summarise([1.0, 2.0, 3.0, 4.0, 10.0])
    assert summary is not None
    assert (summary.mean, summary.median, summary.min, summary.max) == (4.0, 3.0, 1.0, 10.0)
    assert summary.p95 == pytest.approx(8.8)
    assert summary.std == pytest.approx(np.std([1, 2, 3, 4, 10]))
    assert summarise([]) is None


def test_running_figures_are_those_of_the_whole_list() -> None:
    values = np.random.default_rng(3).lognormal(2, 1, 5000)
    stats = RunningStats()
    for value in values:
        stats.add(float(value))
    assert (stats.count, stats.min, stats.max) == (5000, values.min(), values.max())
    assert stats.total == pytest.approx(values.sum(), rel=1e-12)
    assert stats.mean == pytest.approx(values.mean(), rel=1e-12)
    assert stats.std == pytest.approx(values.std(), rel=1e-12)


def test_deviation_of_nearly_equal_times_keeps_its_digits() -> None:
    """A sum of squares would be off by far more than this deviation."""
    stats = RunningStats()
    for step in range(10_000):
        stats.add(1e9 + (step % 2) * 0.25)
    assert stats.std == pytest.approx(0.125, rel=1e-6)


def test_nothing_counted_has_no_summary() -> None:
    stats = RunningStats()
    assert (stats.mean, stats.std) == (0.0, 0.0)
    assert stats.summary([1.0]) is None


def test_figures_are_rounded_to_four_decimals() -> None:
    summary = summarise([1 / 3])
    assert summary is not None
    assert summary.rounded().mean == summary.as_dict()["mean"] == 0.3333
    assert summary.mean == 1 / 3
    assert (rounded(2 / 3), rounded(None)) == (0.6667, None)
