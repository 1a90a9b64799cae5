"""The losses that train the generator and the discriminator. Faces are (B,3,S,S) float32 in [-1,1]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Pixels: side of the square over which local gradient energy is averaged.
_NEIGHBOURHOOD = 8
# Power of the lost part of the gradient energy by which a face is weighted. At 4, a face that keeps half of its energy
# counts a sixteenth.
_LOST_POWER = 4


def pixel_loss(restored: Tensor, wanted: Tensor, scales: int, gradient_weight: float) -> Tensor:
    """Returns the mean absolute difference of pixels and of their gradients, averaged over several sizes.

    Args:
        restored: (B,3,S,S), the network's output.
        wanted: (B,3,S,S), the undamaged faces.
        scales: Number of sizes, each half of the one before.
        gradient_weight: Weight of the gradients.
    """
    total = restored.new_zeros(())
    difference = restored - wanted
    for scale in range(scales):
        if scale:
            difference = F.avg_pool2d(difference, 2)
        # Gradients are linear, so the difference of the gradients is the gradient of the difference.
        across, down = gradients(difference)
        total = total + difference.abs().mean() + gradient_weight * (across.abs().mean() + down.abs().mean())
    return total / scales


def energy_loss(restored: Tensor, wanted: Tensor, damaged: Tensor) -> Tensor:
    """Returns the mean absolute difference of local gradient energy, regardless of where exactly it lies.

    Under `pixel_loss` alone, uncertain texture comes out smooth; this loss asks for as much texture as the original
    has. A face is weighted by the fourth power of the part of its gradient energy that the damage removed: where little
    is lost, little has to be invented, and pixels are to be kept.

    Args:
        restored: (B,3,S,S), the network's output.
        wanted: (B,3,S,S), the undamaged faces.
        damaged: (B,3,S,S), the network's input.
    """
    total = restored.new_zeros(len(restored))
    for ours, theirs in zip(gradients(restored), gradients(wanted), strict=True):
        local = [
            F.avg_pool2d(each.abs(), _NEIGHBOURHOOD, stride=_NEIGHBOURHOOD // 2) for each in (ours, theirs)
        ]
        total = total + (local[0] - local[1]).abs().flatten(1).mean(1)
    lost = (1 - _energy(damaged) / _energy(wanted).clamp_min(1e-9)).clamp(0, 1)
    return (total * lost**_LOST_POWER).mean()


def _energy(pictures: Tensor) -> Tensor:
    """(B): mean squared gradients."""
    across, down = gradients(pictures)
    return across.square().flatten(1).mean(1) + down.square().flatten(1).mean(1)


def gradients(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the forward differences across, (B,3,S,S-1), and down, (B,3,S-1,S)."""
    return pictures.diff(dim=3), pictures.diff(dim=2)


def generator_loss(scores: Tensor) -> Tensor:
    """Returns the non-saturating loss: it falls as the discriminator scores restored faces, (B,1), as real."""
    return F.softplus(-scores).mean()


def discriminator_loss(real: Tensor, restored: Tensor) -> Tensor:
    """Returns the logistic loss: it falls as the scores of real faces rise and those of restored ones fall."""
    return F.softplus(-real).mean() + F.softplus(restored).mean()


def r1_penalty(pictures: Tensor, scores: Tensor) -> Tensor:
    """Returns the mean squared gradient of the scores of real faces.

    From "Which Training Methods for GANs do actually Converge?" (Mescheder et al., 2018).

    Args:
        pictures: (B,3,S,S) real faces that require a gradient.
        scores: (B,1), the discriminator's scores of them.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


def feature_matching(real: list[Tensor], restored: list[Tensor]) -> Tensor:
    """Returns the mean absolute difference of the discriminator's features; the real ones receive no gradient."""
    terms = [F.l1_loss(ours, theirs.detach()) for ours, theirs in zip(restored, real, strict=True)]
    return torch.stack(terms).mean()
