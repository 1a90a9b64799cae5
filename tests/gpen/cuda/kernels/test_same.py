"""The epilogue with ToRGB: the network's own layers, compiled to wide accesses, interpreted."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from helpers import relative_l2
from interpreter import assert_moves_16_bytes

from gpen_fast.gpen.cuda.kernels import same
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams, same_epilogue_by_torch
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams
from gpen_fast.gpen.folded.layers import per_channel
from gpen_fast.gpen.reference import StyledConv, ToRGB


@pytest.mark.parametrize("upsample", [False, True])
def test_the_reference_is_the_networks_own_layers(upsample: bool) -> None:
    layer, to_rgb, latent = StyledConv(6, 4, 5), ToRGB(8, 5, upsample=upsample), torch.randn(2, 5)
    layer.noise.weight.data.fill_(0.3)
    torch.nn.init.normal_(layer.activate.bias)
    torch.nn.init.normal_(to_rgb.bias)
    x, feature, next_scale = torch.randn(2, 6, 8, 8), torch.randn(2, 4, 8, 8), torch.rand(2, 8)
    smaller = torch.randn(2, 3, 4, 4) if upsample else None
    with torch.no_grad():
        wide = layer(x, latent, F.leaky_relu(feature, 0.2))
        wanted_rgb = to_rgb(wide, latent, smaller)
        wanted = wide * per_channel(next_scale)
        style = layer.conv.modulation(latent)
        weight = layer.conv.weight[0] * layer.conv.scale
        demodulation = torch.rsqrt(style.square() @ weight.square().sum((2, 3)).t() + 1e-8)
        raw = F.conv2d(x * per_channel(style), weight, padding=1) * 2**0.5
        bias, skip_bias = (layer.activate.bias * 2**0.5).chunk(2)
        epilogue = EpilogueParams(bias, torch.zeros(4), 0.3 * 2**0.5, skip_bias)
        rgb_weight = (
            to_rgb.conv.weight[0, :, :, 0, 0] * to_rgb.conv.scale * to_rgb.conv.modulation(latent)[:, None]
        )
        params = ToRGBParams(rgb_weight, to_rgb.bias.flatten(), smaller)
        out, rgb = same_epilogue_by_torch(raw, feature, demodulation, epilogue, next_scale, params)
        nothing, same_rgb = same_epilogue_by_torch(raw, feature, demodulation, epilogue, None, params)
    assert out is not None
    assert relative_l2(out, wanted) <= 1e-6
    assert relative_l2(rgb, wanted_rgb) <= 1e-6
    assert out.is_contiguous(memory_format=NHWC)
    assert rgb.is_contiguous()
    assert nothing is None, "the last convolution has none after it"
    assert torch.equal(same_rgb, rgb)


def test_the_interpreted_kernel_equals_its_reference(interpreted: dict[str, str]) -> None:
    assert interpreted["same_epilogue"] == ""


@pytest.mark.parametrize("channels", [8, 64])
def test_the_kernel_moves_16_bytes_at_a_time_on_a_gpu_that_is_not_here(channels: int) -> None:
    assert_moves_16_bytes(same._same_epilogue, channels)
