"""The linear layer: the network's own, at full width, compiled, interpreted, and on a GPU."""

from __future__ import annotations

import math

import pytest
import torch
from launches import CAPABILITIES, assert_compiles, launches

from gpen_fast.device.precision import arithmetic
from gpen_fast.gpen.cuda.kernels.dense import DenseLayer, dense, dense_by_kernel, dense_by_torch
from gpen_fast.gpen.cuda.kernels.kernel_set import is_close
from gpen_fast.gpen.cuda.kernels.rows import pack_rows, storage_dtypes
from gpen_fast.gpen.layers import EqualLinear, PixelNorm


def test_the_reference_is_the_networks_own_layer() -> None:
    layer, x = EqualLinear(40, 30, lr_mul=0.01, activate=True), torch.randn(3, 40)
    layer.bias.data = torch.randn(30) * 100
    rows = pack_rows(layer.weight.detach() * layer.scale, torch.float32)
    with torch.no_grad():
        wanted = layer(PixelNorm()(x))
        found = dense_by_torch(x, DenseLayer(rows, layer.bias * layer.lr_mul, normalised=True))
    assert torch.allclose(found * math.sqrt(2), wanted, atol=1e-5)


def test_an_encoders_feature_is_activated_first() -> None:
    x, bias = torch.randn(2, 4, 3), torch.randn(3)
    rows = pack_rows(torch.eye(12), torch.float32)
    layer = DenseLayer(rows, torch.zeros(12), activated=False, input_bias=bias)
    wanted = torch.nn.functional.leaky_relu(x + bias, 0.2)
    assert torch.allclose(dense_by_torch(x.flatten(1), layer), wanted.flatten(1))


def test_the_interpreted_kernel_equals_its_reference(interpreted: dict[str, str]) -> None:
    assert interpreted["dense"] == ""


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_kernel_compiles_for_gpus_that_are_not_here(
    dtype: torch.dtype, capability: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("triton")
    linear, _ = storage_dtypes(dtype)
    bias, rows = torch.zeros(512), pack_rows(torch.randn(512, 512), linear)
    first = DenseLayer(pack_rows(torch.randn(512, 8192), linear), bias, input_bias=bias)
    with launches(monkeypatch) as found:
        for faces in (1, 32):
            dense_by_kernel(torch.zeros(faces, 8192).to(dtype), first)
            dense_by_kernel(torch.zeros(faces, 512), DenseLayer(rows, bias, normalised=True))
    assert_compiles(found, capability)


@pytest.mark.cuda
@pytest.mark.parametrize("faces", [1, 8, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_compiled_kernel_equals_its_reference_at_full_width(dtype: torch.dtype, faces: int) -> None:
    cuda = torch.device("cuda", 0)
    linear, _ = storage_dtypes(dtype)
    bias = torch.randn(512, device=cuda)
    first = DenseLayer(pack_rows(torch.randn(512, 8192, device=cuda), linear), bias, input_bias=bias)
    second = DenseLayer(pack_rows(torch.randn(512, 512, device=cuda), linear), bias, normalised=True)
    x = torch.randn(faces, 8192, device=cuda).to(dtype)
    with arithmetic("fp32", cuda):
        for given in ((x, first), (x[:, :512], second)):
            assert is_close(dense(*given), dense_by_torch(*given), torch.float32)
