"""Summary figures of a series of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Summary:
    """Milliseconds. p95: linear interpolation between the nearest ranks. std: of the population."""

    mean: float
    median: float
    p95: float
    min: float
    max: float
    std: float

    def as_dict(self) -> dict[str, float]:
        """Rounded to a tenth of a microsecond."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def summarise(values: Sequence[float]) -> Summary | None:
    """None for no values."""
    if not len(values):
        return None
    times = np.asarray(values)
    median, p95 = np.percentile(times, [50, 95])
    return Summary(
        float(times.mean()),
        float(median),
        float(p95),
        float(times.min()),
        float(times.max()),
        float(times.std()),
    )
