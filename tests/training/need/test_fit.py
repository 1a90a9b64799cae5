"""The fit learns from a figure which weight each band needs."""

from __future__ import annotations

import numpy as np
import torch

from gpen_fast.training.need.fit import FitConfig, errors, fit
from gpen_fast.training.need.samples import NeedSample, error_after

BANDS = 3


def sample(damage: float) -> NeedSample:
    """A face whose restoration is worth `damage` of every band's change, and whose figure says so."""
    cost = np.eye(BANDS) * 50.0
    return NeedSample(
        np.array([damage, 1.0], np.float32), 60.0 + 150 * damage**2, cost @ np.full(BANDS, damage), cost, "x"
    )


def test_weights_follow_the_figure() -> None:
    samples = [sample(damage) for damage in np.linspace(0, 1, 40)]
    made = fit(samples, FitConfig(hidden=4, steps=300, batch=40))
    none, some, full = made(torch.tensor([[0.0, 1.0], [0.5, 1.0], [1.0, 1.0]])).mean(dim=1).tolist()
    # Less than each band is worth: restorations of unseen faces are taken to be worse.
    assert none < 0.15 < 0.2 < some < 0.5 < 0.55 < full


def test_the_same_seed_fits_the_same_numbers() -> None:
    samples = [sample(damage) for damage in (0.0, 0.5, 1.0)]
    config = FitConfig(hidden=2, steps=3, batch=3)
    assert fit(samples, config).as_json() == fit(samples, config).as_json()


def test_errors_are_those_of_the_samples() -> None:
    one, weights = sample(0.4), np.array([0.1, 0.5, 1.0])
    wanted = error_after(one, weights)
    given = [torch.tensor(value, dtype=torch.float32)[None] for value in (weights, one.gain, one.cost)]
    found = errors(given[0], torch.tensor([one.before]), given[1], given[2])
    assert abs(float(found) - wanted) < 1e-3
