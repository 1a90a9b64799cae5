"""Each layer by itself, against the formula in its paper."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from gpen_fast.gpen.layers import (
    Blur,
    EqualConv2d,
    EqualLinear,
    FusedLeakyReLU,
    ModulatedConv2d,
    PixelNorm,
    Upsample,
    fir_kernel,
    leaky_relu,
)


def test_the_activation_keeps_the_variance_gain_and_adds_a_bias_for_each_channel() -> None:
    x, bias = torch.tensor([[[[2.0]], [[-3.0]]]]), torch.tensor([1.0, -1.0])
    wanted = torch.tensor([[[[3.0]], [[-0.8]]]]) * math.sqrt(2)
    torch.testing.assert_close(leaky_relu(x, bias), wanted)
    torch.testing.assert_close(leaky_relu(x[:, :, 0, 0], bias), wanted[:, :, 0, 0])
    layer = FusedLeakyReLU(2)
    layer.bias.data = bias
    torch.testing.assert_close(layer(x).detach(), wanted)


def test_pixel_norm_brings_each_latent_to_unit_mean_square() -> None:
    latent = torch.randn(3, 16) * torch.tensor([[1e-2], [1.0], [1e3]])
    mean_squares = PixelNorm()(latent).square().mean(dim=1)
    torch.testing.assert_close(mean_squares, torch.ones(3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_the_fir_sums_to_its_gain_and_is_symmetric(gain: float) -> None:
    kernel = fir_kernel(gain)
    assert float(kernel.sum()) == pytest.approx(gain)
    torch.testing.assert_close(kernel, kernel.flip(0, 1))
    torch.testing.assert_close(kernel[1] / kernel[0], torch.full((4,), 3.0))


@pytest.mark.parametrize(("pad", "side"), [((2, 2), 9), ((1, 1), 7), ((2, 1), 8)])
def test_a_blur_keeps_what_is_even_inside(pad: tuple[int, int], side: int) -> None:
    out = Blur(pad, gain=4.0)(torch.full((2, 3, 8, 8), 0.5))
    assert out.shape == (2, 3, side, side)
    torch.testing.assert_close(out[:, :, 3:5, 3:5], torch.full((2, 3, 2, 2), 2.0))
    assert float(out[0, 0, 0, 0]) < 2


def test_upsampling_doubles_both_sides_and_keeps_what_is_even() -> None:
    out = Upsample()(torch.full((1, 3, 4, 4), 0.7))
    assert out.shape == (1, 3, 8, 8)
    torch.testing.assert_close(out[:, :, 2:6, 2:6], torch.full((1, 3, 4, 4), 0.7))
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    torch.testing.assert_close(
        Upsample()(ramp)[0, 0, 4, 1:7], torch.tensor([0.25, 0.75, 1.25, 1.75, 2.25, 2.75])
    )


def test_weights_are_scaled_by_their_fan_in() -> None:
    conv = EqualConv2d(8, 2, 3, stride=2, padding=1)
    x = torch.randn(1, 8, 6, 6)
    wanted = F.conv2d(x, conv.weight / math.sqrt(8 * 9), stride=2, padding=1)
    torch.testing.assert_close(conv(x), wanted)
    linear = EqualLinear(8, 2, bias=1.0, lr_mul=0.01)
    torch.testing.assert_close(
        linear(x[:, :, 0, 0]),
        F.linear(x[:, :, 0, 0], linear.weight * 0.01 / math.sqrt(8), linear.bias * 0.01),
    )
    activated = EqualLinear(8, 2, bias=1.0, activate=True)
    plain = F.linear(x[:, :, 0, 0], activated.weight / math.sqrt(8), activated.bias)
    torch.testing.assert_close(activated(x[:, :, 0, 0]), F.leaky_relu(plain, 0.2) * math.sqrt(2))


@pytest.mark.parametrize("upsample", [False, True])
def test_demodulation_takes_the_size_of_a_style_out_again(upsample: bool) -> None:
    conv = ModulatedConv2d(6, 4, 3, 5, upsample=upsample)
    x, latent = torch.randn(2, 6, 8, 8), torch.randn(2, 5)
    with torch.no_grad():
        first = conv(x, latent)
        conv.modulation.weight *= 50
        conv.modulation.bias *= 50
        torch.testing.assert_close(conv(x, latent), first, rtol=1e-4, atol=1e-5)
    assert first.shape == ((2, 4, 16, 16) if upsample else (2, 4, 8, 8))


def test_each_sample_has_its_own_style() -> None:
    conv = ModulatedConv2d(6, 4, 1, 5, demodulate=False)
    x, latent = torch.randn(2, 6, 3, 3), torch.randn(2, 5)
    with torch.no_grad():
        style = conv.modulation(latent)
        wanted = torch.einsum("oi,bi,bihw->bohw", conv.weight[0, :, :, 0, 0] * conv.scale, style, x)
        torch.testing.assert_close(conv(x, latent), wanted, rtol=1e-4, atol=1e-5)
