"""Fits the regressor of need to samples: Adam on what the picture's error becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gpen_fast.device.threads import seeded
from gpen_fast.stages.need.regressor import Regressor
from gpen_fast.training.need.samples import NeedSample

# Mean squared error, 8-bit scale, below which nothing is visible: 54 dB. It keeps logarithms of clean faces finite.
_INVISIBLE = 0.25
# Cost of one nat of error above the input's, and above today's where damage is heavy, beside one nat of error.
_WORSE, _LESS_RESTORED = 16.0, 8.0
# Nats below the input's error that count as worse already: what the fit has not seen may fall on the wrong side.
_MARGIN = 0.02
# Deviation of the noise on standardised figures, against learning the samples by heart.
_JITTER = 0.1
# Restored by more than this, in nats, a face counts as heavily damaged.
_HEAVY = 0.2
# Gain of a full weight, nats: where bands cost nothing, they are restored.
_FULL = 0.01
# Error that a restoration is taken to add at most, beside its measured one, as a part of each band's change: networks
# restore faces unlike those of the training worse. Of the picture's own detail, and of the restoration's bands.
_UNSEEN_OWN, _UNSEEN, _UNSEEN_SEED = 0.3, 1.0, 3


@dataclass(frozen=True)
class FitConfig:
    """How the regressor is fitted."""

    hidden: int = 24
    """Hidden units."""

    steps: int = 2500
    """Steps of Adam."""

    batch: int = 512
    """Samples in a step."""

    rate: float = 0.01
    """The learning rate at first; it falls to zero along a cosine."""

    decay: float = 0.01
    """Weight decay."""

    seed: int = 0
    """Decides the first weights."""


def fit(samples: Sequence[NeedSample], config: FitConfig) -> Regressor:
    """Fits a regressor.

    Args:
        samples: Of the training split.
        config: How.
    """
    numbers = seeded(config.seed)
    given, forms = _stacked(samples)
    mean, deviation = given.mean(dim=0), given.std(dim=0) + 0.1
    bands = forms[1].shape[1]
    sizes = [(config.hidden, given.shape[1]), (bands, config.hidden)]
    layers = [(torch.randn(size, generator=numbers) / size[1] ** 0.5, torch.zeros(size[0])) for size in sizes]
    parameters = [tensor.requires_grad_() for layer in layers for tensor in layer]
    optimiser = torch.optim.AdamW(parameters, config.rate, weight_decay=config.decay)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    regressor = Regressor(mean, deviation, tuple(layers))
    for _ in range(config.steps):
        optimiser.zero_grad()
        some = torch.randperm(len(given), generator=numbers)[: config.batch]
        noisy = given[some] + _JITTER * deviation * torch.randn(len(some), given.shape[1], generator=numbers)
        _loss(regressor.soft(noisy), *(each[some] for each in forms)).backward()
        optimiser.step()
        falling.step()
    done = tuple((weight.detach(), bias.detach()) for weight, bias in layers)
    return Regressor(mean, deviation, done)


def _loss(weights: Tensor, before: Tensor, gain: Tensor, cost: Tensor) -> Tensor:
    """Mean logarithm of the error, and what makes a picture worse than it was, or a heavily damaged one than today."""
    after, full = errors(weights, before, gain, cost), errors(torch.ones_like(weights), before, gain, cost)
    now, was, today = ((each.clamp_min(0) + _INVISIBLE).log() for each in (after, before, full))
    heavy = (was - today > _HEAVY).float()
    damaged = (before > _INVISIBLE).float()
    worse = (now - was + _MARGIN * damaged).clamp_min(0) * _WORSE + (now - today).clamp_min(
        0
    ) * heavy * _LESS_RESTORED
    return (now + worse - heavy * _FULL * weights.mean(dim=1)).mean()


def errors(weights: Tensor, before: Tensor, gain: Tensor, cost: Tensor) -> Tensor:
    """(N,) mean squared errors with (N,1+BANDS) weights."""
    return before - 2 * (weights * gain).sum(dim=1) + torch.einsum("ni,nij,nj->n", weights, cost, weights)


def _stacked(samples: Sequence[NeedSample]) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    given = torch.from_numpy(np.stack([each.figures for each in samples]))
    before = torch.tensor([each.before for each in samples])
    gain = torch.from_numpy(np.stack([each.gain for each in samples])).float()
    cost = np.stack([each.cost for each in samples])
    unseen = np.array([_UNSEEN_OWN] + [_UNSEEN] * (cost.shape[1] - 1))
    shares = np.random.default_rng(_UNSEEN_SEED).random((len(cost), 1)) * unseen
    cost = cost + cost * np.eye(cost.shape[1]) * shares[:, :, None]
    return given, (before, gain, torch.from_numpy(cost).float())
