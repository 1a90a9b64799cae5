"""The folded layers by themselves: scales in the weight or in the input, and what fp16 must not meet."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from helpers import relative_l2

from gpen_fast.gpen.folded.layers import (
    NHWC,
    FoldedEncoderLayer,
    FoldedLinear,
    FoldedStyledConv,
    FoldedToRGB,
    LayerStyle,
    encoder_dtype,
    is_near_latent,
    per_channel,
)
from gpen_fast.gpen.layers import fir_kernel


def style_of(values: torch.Tensor) -> LayerStyle:
    largest = values.abs().amax(dim=1, keepdim=True)
    return LayerStyle(values, values / largest, largest)


def styled(up: bool) -> FoldedStyledConv:
    weight = torch.randn(4, 6, 3, 3)
    return FoldedStyledConv(
        weight=weight,
        weight_in_dtype=weight,
        squares=weight.square().sum((2, 3)),
        bias=torch.randn(1, 4, 1, 1),
        skip_scale=torch.full((1, 1, 1, 1), 0.3),
        skip_bias=torch.randn(1, 4, 1, 1),
        fir=fir_kernel(4.0).expand(4, 1, -1, -1) if up else None,
    )


@pytest.mark.parametrize("up", [False, True])
def test_a_face_is_the_same_with_scales_in_the_weight_and_in_the_input(up: bool) -> None:
    """One face of many pixels scales the weight, a batch scales its inputs."""
    layer, side = styled(up), 16
    x = torch.randn(2, 6, side, side).to(memory_format=NHWC)
    feature = torch.randn(2, 4, 2 * side, 2 * side) if up else torch.randn(2, 4, side, side)
    styles = torch.randn(2, 6) * 100
    together = layer(x, style_of(styles), feature)
    for k in range(2):
        alone = layer(x[k : k + 1], style_of(styles[k : k + 1]), feature[k : k + 1])
        assert relative_l2(together[k : k + 1], alone) <= 1e-6


def test_the_skip_half_stands_behind_the_convolutions_half() -> None:
    layer = styled(up=False)
    feature = torch.randn(2, 4, 5, 5)
    out = layer(torch.randn(2, 6, 5, 5), style_of(torch.randn(2, 6)), feature)
    assert out.shape == (2, 8, 5, 5)
    torch.testing.assert_close(out[:, 4:], F.leaky_relu(0.3 * feature + layer.skip_bias, 0.2))


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_demodulation_is_that_of_the_whole_styles(size: float) -> None:
    values, squares = torch.randn(2, 6) * size, torch.rand(4, 6)
    style = style_of(values)
    wanted = torch.rsqrt(values.double().square() @ squares.double().t() + 1e-8) * style.largest.double()
    assert relative_l2(style.demodulation(squares), wanted) <= 1e-6
    assert float(style.normalised.abs().max()) == 1


def test_rgb_is_float32_and_survives_styles_and_weights_that_make_up_for_one_another() -> None:
    weight = torch.randn(3, 6, 1, 1) * 1e-6
    gain = float(weight.abs().max())
    layer = FoldedToRGB(weight / gain, gain, torch.randn(3), fir_kernel(4.0).expand(3, 1, -1, -1))
    x, styles, smaller = torch.randn(2, 6, 8, 8), torch.randn(2, 6) * 1e6, torch.randn(2, 3, 4, 4)
    wanted = torch.einsum("oi,bi,bihw->bohw", weight[:, :, 0, 0].double(), styles.double(), x.double())
    wanted = (
        wanted
        + layer.bias[:, None, None]
        + F.conv_transpose2d(
            smaller.double(), fir_kernel(4.0).expand(3, 1, -1, -1).double(), stride=2, padding=1, groups=3
        )
    )
    out = layer(x.half(), style_of(styles), smaller)
    assert out.dtype == torch.float32
    assert relative_l2(out, wanted) <= 2e-3


def test_an_encoder_layer_halves_its_input_in_its_own_dtype() -> None:
    fir = fir_kernel().expand(6, 1, -1, -1).bfloat16()
    layer = FoldedEncoderLayer(torch.randn(4, 6, 3, 3).bfloat16(), torch.randn(4).bfloat16(), fir)
    out = layer(torch.randn(2, 6, 16, 16))
    assert out.shape == (2, 4, 8, 8)
    assert out.dtype == torch.bfloat16


def test_a_linear_layer_is_activated() -> None:
    weight, bias, x = torch.randn(3, 5), torch.randn(3), torch.randn(2, 5)
    torch.testing.assert_close(FoldedLinear(weight, bias)(x), F.leaky_relu(x @ weight.t() + bias, 0.2))


def test_bfloat16_is_too_coarse_only_near_the_latent() -> None:
    assert [is_near_latent(side) for side in (4, 16, 32)] == [True, True, False]
    assert encoder_dtype(16, torch.bfloat16) == torch.float32
    assert encoder_dtype(32, torch.bfloat16) == torch.bfloat16
    assert encoder_dtype(16, torch.float16) == torch.float16


def test_values_per_channel_are_factors_of_maps() -> None:
    assert torch.equal(torch.ones(2, 3, 4, 5) * per_channel(torch.ones(2, 3)), torch.ones(2, 3, 4, 5))
