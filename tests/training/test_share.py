"""Gradients become the mean over the processes."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from torch import nn

from gpen_fast.training.share import average_gradients


def network_with_gradients() -> nn.Module:
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    for i, parameter in enumerate(network.parameters()):
        parameter.grad = torch.full_like(parameter, float(i + 1))
    return network


def gradients(network: nn.Module) -> list[torch.Tensor]:
    return [parameter.grad.clone() for parameter in network.parameters() if parameter.grad is not None]


def test_one_process_keeps_its_gradients() -> None:
    network = network_with_gradients()
    before = gradients(network)
    average_gradients(network)
    assert all(torch.equal(a, b) for a, b in zip(before, gradients(network), strict=True))


def test_two_processes_get_the_mean_of_each_gradient_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_with_gradients()
    before = gradients(network)
    messages = []

    def add_zeros_of_another_process(flat: torch.Tensor) -> None:
        messages.append(flat.numel())

    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "all_reduce", add_zeros_of_another_process)
    average_gradients(network)
    assert messages == [sum(each.numel() for each in before)]
    assert all(torch.equal(a / 2, b) for a, b in zip(before, gradients(network), strict=True))


def test_parameters_without_a_gradient_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_with_gradients()
    first = next(iter(network.parameters()))
    first.grad = None
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "all_reduce", lambda flat: None)
    average_gradients(network)
    assert first.grad is None
    assert [float(each.flatten()[0]) for each in gradients(network)] == [1.0, 1.5, 2.0]
