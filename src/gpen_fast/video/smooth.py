"""Smoothing along a track: the one-euro filter.

"1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems" (Casiez, Roussel, Vogel,
2012): slow changes are smoothed much, so that nothing shakes, and quick ones little, so that nothing lags.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class EuroFilter:
    """How much is smoothed, for values of any frame rate."""

    least_hz: float
    """Cut-off at rest, Hz."""
    hz_per_speed: float
    """What the cut-off grows by, Hz, for each unit of value per second."""
    speed_hz: float = 1.0
    """Cut-off of the speed itself, Hz."""
    most_off: float = math.inf
    """What the smoothed values may be off the measured ones, mean distance: a jump is followed at once."""

    def step(self, state: EuroState | None, measured: Values, seconds: float) -> EuroState:
        """The state after one more measurement.

        Args:
            state: Before it; None for the first.
            measured: (N,2) points, all smoothed alike: by the mean of their speeds.
            seconds: Since the last measurement, above 0.
        """
        if state is None:
            return EuroState(measured, np.zeros_like(measured), 1)
        speed = state.speed + _gain(self.speed_hz, seconds) * (
            (measured - state.value) / seconds - state.speed
        )
        cut_off = self.least_hz + self.hz_per_speed * float(np.linalg.norm(speed, axis=-1).mean())
        # The first measurements are averaged: there is nothing yet that could be held on to.
        gain = max(_gain(cut_off, seconds), 1 / (state.count + 1))
        off = float(np.linalg.norm(measured - state.value, axis=-1).mean())
        count = state.count + 1
        if off * (1 - gain) > self.most_off:
            # As after a face was found half covered: what was measured so far says nothing of what follows.
            gain, count = 1 - self.most_off / off, 0
        return EuroState(state.value + gain * (measured - state.value), speed, count)


@dataclass(frozen=True, eq=False)
class EuroState:
    """Between two measurements."""

    value: Values
    """The smoothed value."""
    speed: Values
    """Its smoothed speed, per second."""
    count: int
    """Measurements so far."""


def _gain(cut_off: float, seconds: float) -> float:
    """The share of a new measurement under a low-pass of first order."""
    return 1 / (1 + 1 / (2 * math.pi * cut_off * seconds))
