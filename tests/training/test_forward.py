"""The form that trains fast computes the network's values and has its gradients."""

from __future__ import annotations

import pytest
import torch
from helpers import TINY, reference_input, relative_l2
from portraits import SMALL

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.training.forward import training_forward


def loaded(config: GeneratorConfig) -> FullGenerator:
    network = FullGenerator(config)
    network.load_state_dict(random_state(config))
    return network


@pytest.mark.parametrize("config", [TINY, SMALL], ids=["64", "32"])
@pytest.mark.parametrize("together", [False, True])
def test_restores_what_the_network_restores(config: GeneratorConfig, together: bool) -> None:
    network = loaded(config)
    faces = reference_input(config.size).repeat(3, 1, 1, 1) * torch.tensor([1.0, 0.5, -1.0]).view(3, 1, 1, 1)
    with torch.no_grad():
        restored = training_forward(network, faces, torch.float32, together=together)
        assert relative_l2(restored, network(faces)) < 2e-6


@pytest.mark.parametrize("together", [False, True])
def test_has_the_networks_gradients(together: bool) -> None:
    network, faces = loaded(SMALL), reference_input(SMALL.size).repeat(2, 1, 1, 1)
    direction = torch.randn(faces.shape)
    (network(faces) * direction).sum().backward()
    wanted = {name: parameter.grad.clone() for name, parameter in network.named_parameters()}
    network.zero_grad()
    (training_forward(network, faces, torch.float32, together=together) * direction).sum().backward()
    for name, parameter in network.named_parameters():
        assert relative_l2(parameter.grad, wanted[name]) < 1e-4, name


def test_half_precision_stays_near() -> None:
    network, faces = loaded(TINY), reference_input(TINY.size)
    with torch.no_grad():
        half = training_forward(network, faces, torch.bfloat16)
        assert half.dtype == torch.float32
        assert relative_l2(half, network(faces)) < 2e-2
