"""oneDNN's fused convolutions against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gpen_fast.device.onednn import Conv, PointwiseConv, supports
from gpen_fast.stages.detect.retina import network as networks
from gpen_fast.stages.detect.retina.network import build_retinaface, prepared
from gpen_fast.stages.detect.retina.packed import pack_convolutions

CPU = torch.device("cpu")
pytestmark = pytest.mark.skipif(not supports(torch.float32), reason="this build of PyTorch has no oneDNN")


def nhwc(*shape: int) -> torch.Tensor:
    return torch.randn(shape).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("slope", [None, 0.0, 0.1])
def test_each_kind_of_layer_with_and_without_its_activation(stride: int, slope: float | None) -> None:
    for conv in (
        nn.Conv2d(3, 8, 3, stride, 1),
        nn.Conv2d(24, 24, 3, stride, 1, groups=24, bias=False),
        nn.Conv2d(24, 40, 1, stride),
    ):
        layers = [conv] if slope is None else [conv, nn.LeakyReLU(slope)]
        plain = nn.Sequential(nn.Sequential(*layers), nn.Identity()).requires_grad_(False)
        fused = pack_convolutions(plain)
        assert [type(layer.kernel) for layer in fused] == [
            PointwiseConv if conv.kernel_size == conv.stride == (1, 1) else Conv
        ]
        for x in (nhwc(1, conv.in_channels, 9, 14), nhwc(3, conv.in_channels, 64, 33)):
            assert torch.allclose(fused(x), plain(x), rtol=1e-4, atol=1e-5)


def test_an_activation_after_anything_else_is_kept() -> None:
    layers = nn.Sequential(
        nn.MaxPool2d(2), nn.LeakyReLU(0.1), nn.Conv2d(4, 4, 1), nn.ReLU(), nn.LeakyReLU(0.2)
    )
    x = nhwc(2, 4, 10, 10)
    with torch.no_grad():
        assert torch.allclose(pack_convolutions(layers)(x), layers(x), atol=1e-6)
    assert len(pack_convolutions(layers)) == 5


@pytest.mark.parametrize("kind", ["mobile0.25", "resnet50"])
def test_without_onednn_the_network_gives_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_retinaface(kind)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.bias.data.normal_(0, 0.1)
    state = network.state_dict()
    x = nhwc(2, 3, 96, 64) * 50
    made = []
    for there in (True, False):
        monkeypatch.setattr(networks.onednn, "supports", lambda dtype, there=there: there)
        again = build_retinaface(kind)
        again.load_state_dict(state)
        with torch.no_grad():
            made.append(prepared(again, CPU, half=False)(x))
    assert made[0].shape == (2, 2 * (12 * 8 + 6 * 4 + 3 * 2), 16)
    assert torch.allclose(made[0], made[1], rtol=1e-3, atol=1e-3 * float(made[1].abs().max()))
