"""What the latent decides, against each layer's own arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers import TINY, relative_l2
from torch import Tensor

from gpen_fast.device import fbgemm, onednn
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.cpu.modulation import CpuLinear, CpuModulation, LayerModulation, StyledLayer

pytestmark = pytest.mark.skipif(not onednn.supports(torch.float32), reason="no oneDNN convolutions here")

LATENT = torch.linspace(-2, 2, TINY.style_dim)


@pytest.fixture
def layers() -> list[Any]:
    """The convolution of 4 pixels, the two of 8, and the ToRGB of 8."""
    decoder: Any = build(random_state(TINY)).generator
    return [decoder.conv1, decoder.convs[0], decoder.convs[1], decoder.to_rgbs[0]]


@pytest.fixture
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of float32 beside bfloat16 too, as where there is no FBGEMM."""
    monkeypatch.setattr(fbgemm, "is_available", lambda: False)


def modulated(layers: list[Any], defers: list[bool]) -> tuple[list[LayerModulation], Tensor]:
    """What becomes of three layers and one ToRGB that reads the last."""
    styled = [
        StyledLayer(
            each.conv.modulation,
            squares := (each.conv.weight[0] * each.conv.scale).square().sum((2, 3)).detach(),
            torch.full((len(squares),), 0.5),
            deferred,
        )
        for each, deferred in zip(layers[:3], defers, strict=True)
    ]
    made = CpuModulation(styled, [(2, layers[3])], torch.bfloat16)
    with torch.inference_mode():
        found, weights = made(LATENT)
        return list(found), next(weights)


def demodulated(layer: Any) -> tuple[Tensor, Tensor]:
    """(in,) style and (out,) demodulation, as the reference network computes them."""
    conv = layer.conv
    with torch.no_grad():
        style = conv.modulation(LATENT[None])[0]
        scaled = conv.weight[0] * conv.scale * style[:, None, None]
        return style, torch.rsqrt(scaled.square().sum((1, 2, 3)) + 1e-8)


@pytest.mark.usefixtures("_exact")
def test_every_layer_has_its_style_and_demodulation(layers: list[Any]) -> None:
    found, _ = modulated(layers, [False] * 3)
    for layer, one in zip(layers[:3], found, strict=True):
        style, demodulation = demodulated(layer)
        torch.testing.assert_close(one.style, style)
        torch.testing.assert_close(one.demodulation, demodulation)
        torch.testing.assert_close(one.bias, torch.full_like(demodulation, 0.5))
        assert torch.equal(one.input_scale.flatten(), one.style.bfloat16())


def test_styles_from_halved_weights_are_finer_than_bfloat16(layers: list[Any]) -> None:
    found, _ = modulated(layers, [False] * 3)
    for layer, one in zip(layers[:3], found, strict=True):
        style, demodulation = demodulated(layer)
        assert relative_l2(one.style, style) <= 5e-4
        assert relative_l2(one.demodulation, demodulation) <= 5e-4


@pytest.mark.usefixtures("_exact")
def test_a_deferred_scale_is_in_the_own_bias_and_the_next_style(layers: list[Any]) -> None:
    found, _ = modulated(layers, [False, True, False])
    (_, _), (_, scale), (style, _) = map(demodulated, layers[:3])
    torch.testing.assert_close(found[1].bias, 0.5 / scale)
    out = len(scale)
    torch.testing.assert_close(found[2].style[:out], style[:out] * scale)
    torch.testing.assert_close(found[2].style[out:], style[out:], msg="the encoder's half lacks nothing")
    torch.testing.assert_close(found[0].bias, torch.full_like(found[0].bias, 0.5))


@pytest.mark.usefixtures("_exact")
@pytest.mark.parametrize("defers", [False, True])
def test_rgb_weights_carry_what_their_convolution_lacks(layers: list[Any], defers: bool) -> None:
    rgb = layers[3]
    _, weight = modulated(layers, [False, False, defers])
    with torch.no_grad():
        wanted = rgb.conv.weight[0, :, :, 0, 0] * rgb.conv.scale * rgb.conv.modulation(LATENT[None])
    _, scale = demodulated(layers[2])
    if defers:
        wanted[:, : len(scale)] *= scale
    assert weight.dtype == torch.float32
    torch.testing.assert_close(weight, wanted)


LARGE = torch.linspace(-2, 1, 128 * 1024).cos().view(128, 1024)


@pytest.mark.parametrize("activate", [False, True])
@pytest.mark.parametrize("dtype", onednn.DTYPES, ids=str)
def test_linear_layers(dtype: torch.dtype, activate: bool) -> None:
    x, bias = torch.randn(1024), torch.randn(128)
    wanted = F.linear(x.double(), LARGE.double(), bias.double())
    wanted = F.leaky_relu(wanted, 0.2) if activate else wanted
    got = CpuLinear(LARGE, bias, dtype, activate=activate)(x)
    assert got.dtype == torch.float32
    assert relative_l2(got, wanted) <= (5e-4 if dtype == torch.bfloat16 else 3e-6)


@pytest.mark.parametrize("factor", [1e6, 1e-8])
def test_weights_out_of_float16_range_stay_exact(factor: float) -> None:
    x, bias = torch.randn(1024), torch.zeros(128)
    got = CpuLinear(LARGE * factor, bias, torch.bfloat16)(x)
    assert relative_l2(got, F.linear(x.double(), factor * LARGE.double())) <= 3e-6


@pytest.mark.usefixtures("_exact")
def test_without_fbgemm_weights_stay_exact() -> None:
    x, bias = torch.randn(1024), torch.zeros(128)
    got = CpuLinear(LARGE, bias, torch.bfloat16)(x)
    assert relative_l2(got, F.linear(x.double(), LARGE.double())) <= 3e-6
