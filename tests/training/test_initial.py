"""Training starts from a network that returns its input."""

from __future__ import annotations

import torch
from helpers import reference_input
from portraits import SMALL

from gpen_fast.training.__main__ import DEFAULT
from gpen_fast.training.config import read_restoration_config
from gpen_fast.training.initial import near_identity


def test_the_first_output_is_nearly_the_input() -> None:
    config = read_restoration_config(DEFAULT).network
    faces = reference_input(config.size)
    with torch.no_grad():
        difference = (near_identity(config, 1)(faces) - faces).abs()
    assert difference.mean() < 0.05


def test_the_seed_alone_decides() -> None:
    before = torch.get_rng_state()
    one = near_identity(SMALL, 1).state_dict()
    torch.randn(7)
    same, other = near_identity(SMALL, 1).state_dict(), near_identity(SMALL, 2).state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["generator.convs.0.conv.weight"], other["generator.convs.0.conv.weight"])
    assert before.shape == torch.get_rng_state().shape


def test_every_parameter_receives_a_gradient() -> None:
    network = near_identity(SMALL, 1)
    network(reference_input(SMALL.size)).square().sum().backward()
    still = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not still
