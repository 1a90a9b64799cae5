"""What restored faces are judged by while training. Pictures are (B,3,S,S) float32 in [-1,1]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Side in pixels of what counts as around a pixel.
_AROUND = 8
_ONLY_WHERE_MUCH_IS_LOST = 4


def pixel_loss(restored: Tensor, wanted: Tensor, scales: int, gradient_weight: float) -> Tensor:
    """Mean absolute difference of pixels and of their gradients, over `scales` halvings of the size."""
    total = restored.new_zeros(())
    difference = restored - wanted
    for scale in range(scales):
        if scale:
            difference = F.avg_pool2d(difference, 2)
        # Gradients are linear: the gradients' difference is the difference's gradient.
        across, down = gradients(difference)
        total = total + difference.abs().mean() + gradient_weight * (across.abs().mean() + down.abs().mean())
    return total / scales


def energy_loss(restored: Tensor, wanted: Tensor, damaged: Tensor) -> Tensor:
    """Mean absolute difference of how much gradient there is around each pixel, wherever exactly it lies.

    What is uncertain comes out smooth under `pixel_loss`; this asks for as much texture as the original has. A face
    counts by the fourth power of the share of gradient energy that damage took from it: where little is lost,
    little has to be made up, and pixels are to be kept.
    """
    total = restored.new_zeros(len(restored))
    for ours, theirs in zip(gradients(restored), gradients(wanted), strict=True):
        around = [F.avg_pool2d(each.abs(), _AROUND, stride=_AROUND // 2) for each in (ours, theirs)]
        total = total + (around[0] - around[1]).abs().flatten(1).mean(1)
    lost = (1 - _energy(damaged) / _energy(wanted).clamp_min(1e-9)).clamp(0, 1)
    return (total * lost**_ONLY_WHERE_MUCH_IS_LOST).mean()


def _energy(pictures: Tensor) -> Tensor:
    """(B,) mean squared gradients."""
    across, down = gradients(pictures)
    return across.square().flatten(1).mean(1) + down.square().flatten(1).mean(1)


def gradients(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Forward differences across and down."""
    return pictures.diff(dim=3), pictures.diff(dim=2)


def generator_loss(scores: Tensor) -> Tensor:
    """Non-saturating: the generator wants its pictures to score as real."""
    return F.softplus(-scores).mean()


def discriminator_loss(real: Tensor, restored: Tensor) -> Tensor:
    """Logistic: real pictures up, restored ones down."""
    return F.softplus(-real).mean() + F.softplus(restored).mean()


def r1_penalty(pictures: Tensor, scores: Tensor) -> Tensor:
    """Squared gradient of real scores ("Which Training Methods for GANs do actually Converge?", Mescheder 2018)."""
    (gradient,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


def feature_matching(real: list[Tensor], restored: list[Tensor]) -> Tensor:
    """Mean absolute difference of the discriminator's features; no gradient into the real ones."""
    terms = [F.l1_loss(ours, theirs.detach()) for ours, theirs in zip(restored, real, strict=True)]
    return torch.stack(terms).mean()
