"""First weights, the published form and saved states of the detector's networks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gpen_fast.errors import CheckpointError
from gpen_fast.stages.detect.cascade.landmark_net import LandmarkNet
from gpen_fast.training.convolutions import initialise, published_form, read_averaged


def test_published_form_computes_the_same_without_normalisations() -> None:
    network = LandmarkNet((4, 6, 8, 8), normalised=True).train()
    windows = torch.rand(8, 1, 64, 64) * 255
    network(windows)  # moves the running statistics away from 0 and 1
    plain = published_form(network)
    assert not [each for each in plain.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    assert not any(parameter.requires_grad for parameter in plain.parameters())
    with torch.no_grad():
        for ours, theirs in zip(plain(windows), network.eval()(windows), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-4)
    assert any(isinstance(each, torch.nn.BatchNorm2d) for each in network.modules()), "a copy was folded"


def test_first_weights_depend_on_the_seed_alone() -> None:
    one, two, other = (LandmarkNet((4, 6, 8, 8), normalised=True) for _ in range(3))
    for network, seed in ((one, 1), (two, 1), (other, 2)):
        initialise(network, seed)
    assert torch.equal(one.heat.weight, two.heat.weight)
    assert not torch.equal(one.heat.weight, other.heat.weight)


def test_a_file_of_something_else_is_named_in_one_line(tmp_path: Path) -> None:
    torch.save({"g_ema": {"a": torch.zeros(1)}}, tmp_path / "state.pt")
    with pytest.raises(CheckpointError, match=r"state\.pt: not a training state of a dog: ") as told:
        read_averaged(tmp_path / "state.pt", "a dog", lambda weights: LandmarkNet((4, 6, 8, 8)))
    assert "\n" not in str(told.value)
