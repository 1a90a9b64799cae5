"""The ratio of two sides' times, and how far it can be trusted, from several processes a side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 2000
# A process's time is this quantile of its runs. What disturbs a run only makes it slower, sometimes many times, and in
# some processes half of the runs: their median then jumps, their first quartile does not (docs/comparing.md).
CENTRE = 0.25
# The same samples always give the same verdict.
_SEED = 20
# A time that a report rounds to zero has no logarithm: a tenth of the last decimal, in milliseconds.
_LEAST_MS = 1e-5
_ANGLES = np.linspace(-np.pi / 2, np.pi / 2, 20_001)

Logs = NDArray[np.float64]


@dataclass(frozen=True)
class LogRatio:
    """A ratio of times, on the scale of natural logarithms."""

    estimate: float
    """New minus old."""
    half_width: float
    """Half the width of its confidence interval."""


def log_centres(processes: Sequence[Sequence[float]]) -> Logs:
    """The natural logarithm of each process's centre: its time that a quarter of its runs do not exceed, (n,)."""
    centres = [sorted(runs)[_rank(len(runs)) - 1] for runs in processes]
    return np.log(np.maximum(centres, _LEAST_MS))


def log_ratio(
    old: Sequence[Sequence[float]],
    new: Sequence[Sequence[float]],
    speeds: tuple[Logs, Logs],
    *,
    level: float,
) -> LogRatio:
    """How much slower the new side is, with an interval by a bootstrap over processes and over the runs in each.

    The standard error comes from the bootstrap; the interval is that many errors wide as Student's t has it for so few
    processes, because the quantiles of a bootstrap of five values are too narrow.

    Args:
        old: The times of each process of the old side, two processes and more.
        new: Likewise of the new side.
        speeds: What the machine added to the logarithm of each process's times, old and new; zeros: nothing.
        level: Probability with which the interval holds the true ratio, 0 to 1.
    """
    rng = np.random.default_rng(_SEED)
    sides = [
        (log_centres(processes) - speed, processes)
        for processes, speed in zip((old, new), speeds, strict=True)
    ]
    error = math.hypot(*(_standard_error(centres, processes, rng) for centres, processes in sides))
    estimate = float(sides[1][0].mean() - sides[0][0].mean())
    return LogRatio(estimate, t_quantile((1 + level) / 2, len(old) + len(new) - 2) * error)


def _standard_error(centres: Logs, processes: Sequence[Sequence[float]], rng: np.random.Generator) -> float:
    """The standard error of the mean of the processes' centres."""
    count = len(processes)
    logs = [np.log(np.maximum(np.sort(runs), _LEAST_MS)) for runs in processes]
    lengths = np.array([len(each) for each in logs])
    table = np.zeros((count, lengths.max()))
    for row, each in zip(table, logs, strict=True):
        row[: len(each)] = each
    drawn = rng.integers(count, size=(_RESAMPLES, count))
    # The centre of k runs drawn with replacement is one of the k sorted runs, and its place follows a beta
    # distribution: that takes one random number where drawing the runs takes k.
    ranks = np.array([_rank(length) for length in lengths])[drawn]
    fractions = rng.beta(ranks, lengths[drawn] - ranks + 1)
    places = np.minimum(fractions * lengths[drawn], lengths[drawn] - 1).astype(int)
    moved = table[drawn, places] - log_centres(processes)[drawn]
    means = (centres[drawn] + moved).mean(axis=1)
    # A resample of n values varies by (n - 1) / n of what a new sample of n values would.
    return float(means.std()) * math.sqrt(count / (count - 1))


def _rank(runs: int) -> int:
    """Which of so many sorted runs is the centre, from 1."""
    return math.ceil(CENTRE * runs)


@cache
def t_quantile(probability: float, freedom: int) -> float:
    """A quantile of Student's t distribution.

    Args:
        probability: 0.5 to below 1.
        freedom: Degrees of freedom, 1 and up.
    """
    # With x = sqrt(freedom) * tan(angle), the density over the angle is a power of its cosine.
    weights = np.clip(np.cos(_ANGLES), 0.0, None) ** (freedom - 1)
    below = np.cumsum(weights) - weights / 2
    angle = float(np.interp(probability, below / weights.sum(), _ANGLES))
    return math.sqrt(freedom) * math.tan(angle)
