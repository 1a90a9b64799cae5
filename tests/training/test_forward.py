"""The form that trains fast is the network itself: same values, same gradients."""

from __future__ import annotations

import pytest
import torch
from conftest import TINY, reference_input, relative_l2
from portraits import SMALL

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.network import FullGenerator
from gpen_fast.gpen.spec import Figures
from gpen_fast.training.forward import restored


def loaded(figures: Figures) -> FullGenerator:
    network = FullGenerator(figures)
    network.load_state_dict(random_state(figures))
    return network


@pytest.mark.parametrize("figures", [TINY, SMALL], ids=["64", "32"])
def test_restores_what_the_network_restores(figures: Figures) -> None:
    network = loaded(figures)
    faces = reference_input(figures.size).repeat(3, 1, 1, 1) * torch.tensor([1.0, 0.5, -1.0]).view(3, 1, 1, 1)
    with torch.no_grad():
        assert relative_l2(restored(network, faces, torch.float32), network(faces)) < 2e-6


def test_has_the_networks_gradients() -> None:
    network, faces = loaded(SMALL), reference_input(SMALL.size).repeat(2, 1, 1, 1)
    direction = torch.randn(faces.shape)
    (network(faces) * direction).sum().backward()
    wanted = {name: parameter.grad.clone() for name, parameter in network.named_parameters()}
    network.zero_grad()
    (restored(network, faces, torch.float32) * direction).sum().backward()
    for name, parameter in network.named_parameters():
        assert relative_l2(parameter.grad, wanted[name]) < 1e-4, name


def test_half_precision_stays_near() -> None:
    network, faces = loaded(TINY), reference_input(TINY.size)
    with torch.no_grad():
        half = restored(network, faces, torch.bfloat16)
        assert half.dtype == torch.float32
        assert relative_l2(half, network(faces)) < 2e-2
