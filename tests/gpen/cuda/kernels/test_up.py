"""The epilogue of an up-convolution: the network's own layers, compiled to wide accesses, interpreted, far offsets."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from helpers import relative_l2
from interpreter import assert_moves_16_bytes

from gpen_fast.gpen.cuda.kernels import kernel_set, up
from gpen_fast.gpen.cuda.kernels.up import up_epilogue_by_kernel, up_epilogue_by_torch
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams
from gpen_fast.gpen.folded.layers import per_channel
from gpen_fast.gpen.reference import StyledConv


def test_the_reference_is_the_networks_own_layers() -> None:
    """From the up-convolution's output on, with the next convolution's input scales as the style after it."""
    layer, latent = StyledConv(6, 4, 5, upsample=True), torch.randn(2, 5)
    layer.noise.weight.data.fill_(0.3)
    torch.nn.init.normal_(layer.activate.bias)
    x, feature, next_scale = torch.randn(2, 6, 8, 8), torch.randn(2, 4, 16, 16), torch.rand(2, 8)
    with torch.no_grad():
        activated = F.leaky_relu(feature, 0.2)
        wanted = layer(x, latent, activated) / 2**0.5 * per_channel(next_scale)
        style = layer.conv.modulation(latent)
        weight = layer.conv.weight[0] * layer.conv.scale
        demodulation = torch.rsqrt(style.square() @ weight.square().sum((2, 3)).t() + 1e-8)
        raw = F.conv_transpose2d(x * per_channel(style), weight.transpose(0, 1), stride=2)
        bias, skip_bias = layer.activate.bias.chunk(2)
        epilogue = EpilogueParams(bias, torch.zeros(4), 0.3, skip_bias)
        got = up_epilogue_by_torch(raw, feature, demodulation, epilogue, next_scale)
    assert relative_l2(got, wanted) <= 1e-6
    assert got.is_contiguous(memory_format=NHWC)


def test_the_interpreted_kernel_equals_its_reference(interpreted: dict[str, str]) -> None:
    assert interpreted["up_epilogue"] == ""


@pytest.mark.parametrize("channels", [8, 64])
def test_the_kernel_moves_16_bytes_at_a_time_on_a_gpu_that_is_not_here(channels: int) -> None:
    assert_moves_16_bytes(up._up_epilogue, channels)


@pytest.mark.cuda
def test_offsets_beyond_32_bits() -> None:
    """The last of many faces is as it is alone."""
    if torch.cuda.mem_get_info()[0] < 20e9:
        pytest.skip("needs 20 GB of device memory")
    batch, channels, side = 5, 256, 1024
    assert batch * 2 * channels * side * side > 2**31
    on_device = {"device": "cuda", "dtype": torch.float16}
    raw = torch.randn(batch, channels, side + 1, side + 1, **on_device).contiguous(memory_format=NHWC)  # type: ignore[call-overload]
    feature = torch.randn(batch, channels, side, side, **on_device).contiguous(memory_format=NHWC)  # type: ignore[call-overload]
    vector = torch.randn(channels, device="cuda")
    epilogue = EpilogueParams(vector, vector, 0.3, vector)
    scale, following = (
        torch.randn(batch, channels, device="cuda"),
        torch.randn(batch, 2 * channels, device="cuda"),
    )
    whole = up_epilogue_by_kernel(raw, feature, scale, epilogue, following)
    alone = up_epilogue_by_torch(raw[-1:], feature[-1:], scale[-1:], epilogue, following[-1:])
    assert kernel_set.is_close(whole[-1:], alone, torch.float16)
