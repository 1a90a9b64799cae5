"""The blur: the network's own layers, compiled to wide accesses, interpreted."""

from __future__ import annotations

import pytest
import torch
from interpreter import assert_moves_16_bytes

from gpen_fast.gpen.cuda.kernels import blur
from gpen_fast.gpen.layers import Blur, FusedLeakyReLU


def test_the_reference_is_the_networks_own_layers() -> None:
    layer, feature = FusedLeakyReLU(5), torch.randn(2, 5, 6, 8)
    layer.bias.data = torch.randn(5)
    with torch.no_grad():
        wanted = Blur(pad=(2, 2))(layer(feature))
        found = blur.blur_by_torch(feature, layer.bias) * 2**0.5
    assert torch.allclose(found, wanted, atol=1e-5)


def test_on_a_cpu_it_is_its_reference() -> None:
    feature, bias = torch.randn(2, 5, 6, 8).half(), torch.randn(5)
    out = blur.blur(feature, bias)
    assert torch.equal(out, blur.blur_by_torch(feature, bias))
    assert out.shape == (2, 5, 7, 9)
    assert out.dtype == torch.float16


def test_the_interpreted_kernel_equals_its_reference(interpreted: dict[str, str]) -> None:
    assert interpreted["blur"] == ""


@pytest.mark.parametrize("channels", [8, 64])
def test_the_kernel_moves_16_bytes_at_a_time_on_a_gpu_that_is_not_here(channels: int) -> None:
    assert_moves_16_bytes(blur._blur, channels)
