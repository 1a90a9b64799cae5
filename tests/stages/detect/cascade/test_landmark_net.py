"""The embedded network: its file, its shapes, and what it is indifferent to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gpen_fast.errors import CheckpointError
from gpen_fast.stages.detect.cascade.landmark_net import WIDTHS, LandmarkNet, read_net, widths_of
from gpen_fast.stages.detect.retina.compact import fold_normalisations
from gpen_fast.store.shipped import shipped


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match=r"x\.safetensors: cannot be read as a landmark network"):
        read_net(tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match=r"cannot be read as a landmark network: 'stem\.0\.weight'"):
        read_net(shipped("gpen-lite-256.safetensors"))


def test_the_shipped_network_has_the_default_widths_and_no_gradients() -> None:
    network = read_net(shipped("landmarks-lite.safetensors"))
    assert widths_of(network.state_dict()) == WIDTHS
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())


def test_contrast_and_brightness_do_not_matter() -> None:
    network = read_net(shipped("landmarks-lite.safetensors"))
    window = torch.rand(2, 1, 64, 64) * 100 + 20
    points, logits = network(window)
    assert points.shape == (2, 5, 2)
    assert logits.shape == (2,)
    assert ((points > 0) & (points < 1)).all()
    brighter, others = network(window * 1.5 + 30)
    assert torch.allclose(points, brighter, atol=1e-4)
    assert torch.allclose(logits, others, atol=1e-3)


def test_a_flat_window_gives_finite_values() -> None:
    points, logits = read_net(shipped("landmarks-lite.safetensors"))(torch.full((1, 1, 64, 64), 90.0))
    assert points.isfinite().all()
    assert logits.isfinite().all()


def test_normalisations_fold_into_the_convolutions() -> None:
    trained = LandmarkNet((4, 8, 8, 8), normalised=True)
    window = torch.rand(16, 1, 64, 64) * 255
    trained(window)  # moves the running means
    wanted = trained.eval()(window)
    got = fold_normalisations(trained)(window)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in trained.modules())
    for a, b in zip(wanted, got, strict=True):
        assert torch.allclose(a, b, atol=1e-4)
