"""The adversary trains its discriminator only, and adds a term that trains the generator only."""

from __future__ import annotations

import copy

import torch
from portraits import SIZE, weights_of, with_adversary

from gpen_fast.training.adversary import Adversary

CPU = torch.device("cpu")


def faces(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_its_term_reaches_the_restored_faces_and_not_the_discriminator() -> None:
    adversary = Adversary(with_adversary(), CPU)
    restored = faces(1).requires_grad_()
    adversary.generator_term(restored, faces(2)).backward()
    assert restored.grad is not None
    assert restored.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in adversary.discriminator.parameters())


def test_steps_learn_to_tell_real_faces_from_restored_ones() -> None:
    adversary = Adversary(with_adversary(), CPU)
    real, restored = faces(1), faces(1).flip(1) * 0.2
    losses = [adversary.step(restored, real, number) for number in range(1, 30, 2)]
    assert losses[-1] < losses[0]
    with torch.no_grad():
        assert adversary.discriminator(real)[0].mean() > adversary.discriminator(restored)[0].mean()


def test_the_penalty_is_added_at_its_interval_only() -> None:
    """The tests' config adds it in every second step."""
    losses = [Adversary(with_adversary(), CPU).step(faces(1), faces(2), number) for number in (0, 1, 2, 3)]
    assert losses[0] == losses[2] != losses[1] == losses[3]
    assert losses[0] > losses[1]


def test_its_state_is_restored_with_the_optimisers() -> None:
    one, other = Adversary(with_adversary(), CPU), Adversary(with_adversary(seed=5), CPU)
    one.step(faces(1), faces(2), 1)
    other.load_state_dict(copy.deepcopy(one.state_dict()))  # the state shares its tensors with the optimiser
    assert torch.equal(weights_of(one.discriminator), weights_of(other.discriminator))
    one.step(faces(3), faces(4), 2), other.step(faces(3), faces(4), 2)
    assert torch.equal(weights_of(one.discriminator), weights_of(other.discriminator))
