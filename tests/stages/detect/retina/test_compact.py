"""The compact RetinaFace against facexlib's own call of its layers."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from gpen_fast.stages.detect.retina.compact import Compact, fold_normalisations
from gpen_fast.stages.detect.retina.network import build_retinaface


def with_statistics(module: nn.Module) -> nn.Module:
    """Normalisations that do something."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.8, 1.2)
            layer.weight.data.uniform_(0.8, 1.2)
            layer.bias.data.normal_(0, 0.1)
    return module.eval()


@pytest.mark.parametrize("kind", ["mobile0.25", "resnet50"])
def test_it_computes_what_facexlib_computes(kind: str) -> None:
    network = with_statistics(build_retinaface(kind))
    rgb = torch.randn(2, 3, 64, 96) * 50
    with torch.no_grad():
        boxes, logits, points = network(rgb.flip(1))  # trained on BGR
        got = Compact(copy.deepcopy(network))(rgb)
    wanted = torch.cat([boxes, logits, points], dim=2)
    assert got.shape == wanted.shape == (2, 2 * (8 * 12 + 4 * 6 + 2 * 3), 16)
    assert torch.allclose(got, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


def test_only_a_convolutions_own_normalisation_is_folded() -> None:
    layers = nn.Sequential(
        nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4)
    )
    x = torch.randn(1, 3, 5, 5)
    with torch.no_grad():
        wanted = with_statistics(layers)(x)
        assert torch.allclose(fold_normalisations(layers)(x), wanted, atol=1e-5)
    assert [type(layer) for layer in layers] == [
        nn.BatchNorm2d, nn.Conv2d, nn.Identity, nn.ReLU, nn.BatchNorm2d,
    ]  # fmt: skip
