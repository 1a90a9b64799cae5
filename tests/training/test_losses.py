"""What each loss rewards."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gpen_fast.training.losses import (
    discriminator_loss,
    energy_loss,
    feature_matching,
    generator_loss,
    pixel_loss,
    r1_penalty,
)


def noise(seed: int = 0) -> Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def blurred(pictures: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(pictures, 5, stride=1, padding=2)


def test_equal_pictures_cost_nothing() -> None:
    assert pixel_loss(noise(), noise(), 3, 1.0) == 0
    assert energy_loss(noise(), noise(), blurred(noise())) == 0


def test_one_scale_without_gradients_is_the_mean_absolute_difference() -> None:
    assert pixel_loss(noise(), noise(1), 1, 0.0) == pytest.approx((noise() - noise(1)).abs().mean().item())


def test_a_constant_shift_costs_the_same_at_every_scale_and_has_no_gradient() -> None:
    assert pixel_loss(noise() + 0.25, noise(), 4, 9.0).item() == pytest.approx(0.25, abs=1e-5)


def test_coarser_scales_forgive_grain() -> None:
    flat = torch.zeros(2, 3, 32, 32)
    assert pixel_loss(noise(), flat, 3, 0.0) < 0.7 * pixel_loss(noise(), flat, 1, 0.0)


def test_energy_cares_how_much_texture_there_is_more_than_where() -> None:
    smooth = blurred(noise())
    assert energy_loss(noise(1), noise(), smooth) < 0.3 * energy_loss(smooth, noise(), smooth)


def test_energy_is_asked_for_where_damage_took_it() -> None:
    smooth = blurred(noise())
    assert energy_loss(smooth, noise(), noise()) == 0
    halfway = (noise() + smooth) / 2
    assert 0 < energy_loss(smooth, noise(), halfway) < 0.7 * energy_loss(smooth, noise(), smooth)


def test_losses_push_scores_apart() -> None:
    high, low = torch.full((4, 1), 3.0), torch.full((4, 1), -3.0)
    assert generator_loss(high) < generator_loss(low)
    assert discriminator_loss(high, low) < discriminator_loss(low, high)


def test_r1_is_the_squared_gradient() -> None:
    pictures = noise().requires_grad_()
    assert r1_penalty(pictures, 2 * pictures.flatten(1).sum(1)).item() == pytest.approx(4 * 3 * 32 * 32)


def test_feature_matching_moves_only_the_restored() -> None:
    real, ours = noise().requires_grad_(), noise(1).requires_grad_()
    feature_matching([real], [ours]).backward()
    assert real.grad is None
    assert ours.grad is not None
