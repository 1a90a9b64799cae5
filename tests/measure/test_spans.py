"""Bounded samples of calls, and exact figures beside them."""

from __future__ import annotations

import pickle
import random
from collections import Counter

import numpy as np
import pytest
from reports import span_of

from gpen_fast.measure.spans import RecordedSpan, Reservoir, Series


def series_of(*times: float, capacity: int = 100, device: bool = False) -> Series:
    series = Series(capacity, random.Random(1))
    for ms in times:
        span = span_of("generate", ms, items=2)
        series.add(span)
        if device:
            series.add_device(span, 10 * ms)
    return series


def test_a_sample_is_complete_until_it_is_full() -> None:
    sample: Reservoir[int] = Reservoir(3, random.Random(0))
    for value in range(3):
        sample.add(value)
    assert (list(sample), sample.complete, sample.seen) == ([0, 1, 2], True, 3)
    sample.add(3)
    assert (len(sample), sample.complete, sample.seen) == (3, False, 4)


def test_every_value_has_the_same_chance_to_be_kept() -> None:
    rng, counts = random.Random(5), Counter()
    for _ in range(4000):
        sample: Reservoir[int] = Reservoir(5, rng)
        for value in range(20):
            sample.add(value)
        counts.update(sample)
    # Each is kept in 1000 of 4000 samples on average, with a standard deviation of 27.
    assert all(abs(counts[value] - 1000) < 5 * 27 for value in range(20))


def test_the_same_seed_keeps_the_same_spans() -> None:
    times = [float(ms) for ms in range(50)]
    kept = [[span.host_ms for span in series_of(*times, capacity=8).spans] for _ in range(2)]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 9
    assert kept[0][0] == 0.0  # the first call is kept whatever comes


def test_the_first_call_is_apart_unless_it_is_the_only_one() -> None:
    assert series_of(900.0).host_summary(first_apart=True).mean == 900.0
    series = series_of(900.0, 100.0, 200.0, device=True)
    assert series.host.first == 900.0
    later = series.host_summary(first_apart=True)
    assert (later.mean, later.min, later.max, later.median) == (150.0, 100.0, 200.0, 150.0)
    assert series.device_summary(first_apart=True).max == 2000.0
    assert series.host_summary().max == 900.0
    assert (series.count, series.items, series.host.total) == (3, 6, 1200.0)


def test_a_stage_without_calls_or_device_work_has_no_summary() -> None:
    assert Series().host_summary() is None
    assert Series().spans == []
    assert series_of(1.0).device_summary() is None


def test_a_device_time_arrives_late_at_its_own_call() -> None:
    series = Series()
    early, late = span_of("crop", 1.0), span_of("crop", 2.0)
    series.add(early)
    series.add(late)
    series.add_device(late, 7.0)
    assert [span.device_ms for span in series.spans] == [None, 7.0]
    assert series.device.first is None
    series.add_device(early, 5.0)
    assert (series.device.first, series.device.total, series.device.count) == (5.0, 12.0, 2)


def test_an_old_first_call_does_not_weigh_on_the_percentiles_of_a_long_run() -> None:
    series = series_of(1e6, *[1.0] * 50, capacity=10)
    assert series.host_summary().p95 == 1.0
    assert series.host_summary().max == 1e6


@pytest.fixture(scope="module")
def long_run() -> tuple[Series, np.ndarray]:
    """A hundred thousand calls of known times, with device times."""
    times = np.random.default_rng(7).lognormal(3, 0.5, 100_000)
    series = Series(rng=random.Random(11))
    for number, ms in enumerate(times):
        span = RecordedSpan("save", number, number + 1, "writer", 1, round(ms * 1e6))
        series.add(span)
        series.add_device(span, float(ms) / 2)
    return series, np.round(times * 1e6) / 1e6


def test_a_hundred_thousand_calls_hold_bounded_memory(long_run: tuple[Series, np.ndarray]) -> None:
    series, _ = long_run
    assert len(series.spans) == 4097
    few = series_of(*[1.0] * 4097, capacity=4096, device=True)
    assert len(pickle.dumps(series)) < 1.5 * len(pickle.dumps(few)) < 1e6


def test_sums_of_a_long_run_are_exact(long_run: tuple[Series, np.ndarray]) -> None:
    series, times = long_run
    summary = series.host_summary()
    assert (series.count, series.items) == (100_000, 100_000)
    assert series.host.first == times[0]
    assert series.host.total == pytest.approx(times.sum(), rel=1e-12)
    assert (summary.min, summary.max) == (times.min(), times.max())
    assert summary.mean == pytest.approx(times.mean(), rel=1e-12)
    assert summary.std == pytest.approx(times.std(), rel=1e-9)
    later = series.host_summary(first_apart=True)
    assert later.mean == pytest.approx(times[1:].mean(), rel=1e-12)


def test_percentiles_of_a_long_run_are_within_the_stated_bound(long_run: tuple[Series, np.ndarray]) -> None:
    series, times = long_run
    summary = series.host_summary()
    assert np.percentile(times, 94) < summary.p95 < np.percentile(times, 96)
    # Three standard errors of the median's rank: 3 * sqrt(0.25 / 4096).
    assert np.percentile(times, 47.6) < summary.median < np.percentile(times, 52.4)
    device = series.device_summary()
    assert np.percentile(times / 2, 94) < device.p95 < np.percentile(times / 2, 96)
