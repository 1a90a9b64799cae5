"""Summary figures of times: of a whole list, or kept up to date one time after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

# Decimals of a report's figures: a tenth of a microsecond where the unit is milliseconds.
DECIMALS = 4


@dataclass(frozen=True)
class Summary:
    """Six figures that describe a list of times, in milliseconds."""

    mean: float
    """Arithmetic mean."""
    median: float
    """The 50th percentile."""
    p95: float
    """The 95th percentile, interpolated linearly between the two nearest values."""
    min: float
    """The shortest time."""
    max: float
    """The longest time."""
    std: float
    """Standard deviation of the population (divided by n)."""

    def rounded(self) -> Summary:
        """The same figures as a report holds them: rounded to four decimals."""
        return Summary(**self.as_dict())

    def as_dict(self) -> dict[str, float]:
        """The figures by name, rounded to four decimals."""
        return {each.name: round(getattr(self, each.name), DECIMALS) for each in fields(self)}


def rounded(value: float | None) -> float | None:
    """A figure as a report holds it: rounded to four decimals."""
    return None if value is None else round(value, DECIMALS)


class RunningStats:
    """Count, total, mean, extremes and deviation of times that come one by one. Its size does not grow."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.min = math.inf
        self.max = -math.inf
        self._mean = 0.0
        # Sum of squared distances from the mean. Welford's update (Technometrics 4, 1962) keeps it accurate where a sum
        # of squares would lose the digits that tell nearly equal times apart.
        self._squares = 0.0

    @property
    def mean(self) -> float:
        """The mean; 0 for no values."""
        return self.total / self.count if self.count else 0.0

    @property
    def std(self) -> float:
        """Standard deviation of the population; 0 for no values."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0

    def add(self, value: float) -> None:
        """Counts one value."""
        self.count += 1
        self.total += value
        self.min, self.max = min(self.min, value), max(self.max, value)
        distance = value - self._mean
        self._mean += distance / self.count
        self._squares += distance * (value - self._mean)

    def summary(self, sample: Sequence[float]) -> Summary | None:
        """The exact figures, with the percentiles of `sample`; None for no values.

        Args:
            sample: The values themselves, or a uniform sample of them: a median cannot be kept up to date exactly in
                bounded memory.
        """
        if not self.count or not len(sample):
            return None
        median, p95 = np.percentile(np.asarray(sample), [50, 95])
        return Summary(self.mean, float(median), float(p95), self.min, self.max, self.std)


def summarise(values: Sequence[float]) -> Summary | None:
    """The six figures of a list of times; None for an empty one."""
    stats = RunningStats()
    for value in values:
        stats.add(value)
    return stats.summary(values)
