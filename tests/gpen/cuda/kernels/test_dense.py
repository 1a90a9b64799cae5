"""The latent's way on CUDA: what its weights weigh, what 16 bits cost them, and that its kernels compile."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
import torch
from helpers import TINY, relative_l2
from launches import compiled, launches
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cuda.generator import CudaGenerator
from gpen_fast.gpen.cuda.kernels import dense, modulate
from gpen_fast.gpen.cuda.kernels.dense import DenseLayer, dense_by_torch
from gpen_fast.gpen.cuda.kernels.modulate import modulate_by_torch, modulation
from gpen_fast.gpen.cuda.kernels.rows import packed, storages
from gpen_fast.gpen.cuda.kernels.steps import BY_TORCH, alike
from gpen_fast.gpen.layers import EqualLinear, ModulatedConv2d, PixelNorm
from gpen_fast.store.published import PUBLISHED

CPU = torch.device("cpu")
BY_KERNEL = replace(BY_TORCH, dense=dense.dense_by_kernel, modulate=modulate.modulate_by_kernel)
# Compute capabilities, "80 90 120" for more than one.
CAPABILITIES = [int(each) for each in os.environ.get("GPEN_FAST_CAPABILITIES", "90").split()]


def tensors(of: Any) -> Iterator[Tensor]:
    """Every tensor that something holds, at any depth."""
    if isinstance(of, Tensor):
        yield of
    elif isinstance(of, list | tuple):
        for each in of:
            yield from tensors(each)
    elif is_dataclass(of):
        for field in fields(of):
            yield from tensors(getattr(of, field.name))


def bytes_held(made: CudaGenerator) -> int:
    """Of whole storages, each once: a view keeps all of what it looks at."""
    kept = [each.untyped_storage() for each in tensors(list(vars(made).values()))]
    return sum({storage.data_ptr(): storage.nbytes() for storage in kept}.values())


def weight_ratio(config: GeneratorConfig, dtype: torch.dtype) -> float:
    """Bytes of the folded network over those of the reference in float32."""
    network = build(random_state(config))
    eager = sum(each.numel() * each.element_size() for each in network.state_dict().values())
    return bytes_held(CudaGenerator(network, dtype, CPU)) / eager


@pytest.mark.parametrize(("dtype", "most"), [(torch.float16, 0.54), (torch.bfloat16, 0.6)], ids=str)
def test_half_precision_holds_little_more_than_half_the_weights(dtype: torch.dtype, most: float) -> None:
    """16 bits each, and the sums of squares, a ninth of the modulated convolutions, besides.

    Beside bfloat16 the encoder's last three convolutions have 32.
    """
    assert weight_ratio(PUBLISHED["gpen-bfr-256"].config, dtype) <= most


def test_the_largest_network_does_too() -> None:
    assert weight_ratio(PUBLISHED["gpen-bfr-2048"].config, torch.float16) <= 0.54


def test_nothing_but_vectors_stays_in_float32_in_half_precision() -> None:
    made = CudaGenerator(build(random_state(PUBLISHED["gpen-lite-256"].config)), torch.float16, CPU)
    exact = [each for each in tensors(list(vars(made).values())) if each.dtype == torch.float32]
    assert max(each.numel() for each in exact) <= 3 * 1024


@pytest.mark.parametrize(
    ("storage", "within"), [(torch.int16, 1e-4), (torch.float16, 5e-4), (torch.float32, 0)]
)
def test_rows_are_as_near_as_their_storage_whatever_their_size(storage: torch.dtype, within: float) -> None:
    weight = torch.randn(5, 300) * torch.tensor([1e-12, 1e-3, 1.0, 1e6, 0.0])[:, None]
    kept = packed(weight, storage)
    assert kept.values.dtype == storage
    apart = (kept.whole() - weight).norm(dim=1)
    assert bool((apart <= within * weight.norm(dim=1)).all())


def test_only_float32_networks_keep_float32() -> None:
    assert storages(torch.float32) == (torch.float32, torch.float32)
    assert storages(torch.float16) == storages(torch.bfloat16) == (torch.int16, torch.float16)


def test_the_reference_is_the_networks_own_layer() -> None:
    layer, x = EqualLinear(40, 30, lr_mul=0.01, activate=True), torch.randn(3, 40)
    layer.bias.data = torch.randn(30) * 100
    rows = packed(layer.weight.detach() * layer.scale, torch.float32)
    with torch.no_grad():
        wanted = layer(PixelNorm()(x))
        found = dense_by_torch(x, DenseLayer(rows, layer.bias * layer.lr_mul, normalised=True))
    assert torch.allclose(found * math.sqrt(2), wanted, atol=1e-5)


def test_an_encoders_feature_is_activated_first() -> None:
    x, bias = torch.randn(2, 4, 3), torch.randn(3)
    rows = packed(torch.eye(12), torch.float32)
    layer = DenseLayer(rows, torch.zeros(12), activated=False, input_bias=bias)
    wanted = torch.nn.functional.leaky_relu(x + bias, 0.2)
    assert torch.allclose(dense_by_torch(x.flatten(1), layer), wanted.flatten(1))


@pytest.mark.parametrize("storage", [torch.float32, torch.float16], ids=str)
@pytest.mark.parametrize("size", [1e-9, 1.0, 3e3, 3e8])
def test_scales_are_those_of_the_networks_own_convolution(size: float, storage: torch.dtype) -> None:
    """However large the styles: none is squared in half precision, and no layer's are padded to another's."""
    convs = [ModulatedConv2d(24, 10, 3, 8), ModulatedConv2d(7, 5, 3, 8)]
    latent, styles = torch.randn(2, 8), []
    for conv in convs:
        conv.modulation.weight.data *= size
        conv.modulation.bias.data *= size
        styles.append(conv.modulation(latent).detach())
    squares = [(conv.weight.detach()[0] * conv.scale).square().sum((2, 3)) for conv in convs]
    to = modulation(squares, [torch.randn(3, 4)], storage)
    assert to.squares.numel() == 16 * 32 + 16 * 16
    given = torch.zeros(2, to.conv_styles + 16)
    for place, style in zip(to.inputs, styles, strict=True):
        given[:, place] = style
    inputs, outputs, _ = modulate_by_torch(given, to)
    for conv, read, written in zip(convs, to.inputs, to.outputs, strict=True):
        with torch.no_grad():
            wanted = conv.double()._weights_per_sample(latent.double())
        found = conv.weight.detach()[0] * conv.scale * inputs[:, None, read, None, None]
        found = found * outputs[:, written, None, None, None]
        assert relative_l2(found, wanted) <= (1e-6 if storage == torch.float32 else 3e-4)
        assert float(inputs[:, read].abs().max()) <= 1


def test_colours_are_weights_times_styles() -> None:
    colours = [torch.randn(3, 8), torch.randn(3, 20)]
    to = modulation([torch.rand(4, 4)], colours, torch.float32)
    styles = torch.randn(2, 16 + 16 + 32)
    _, _, made = modulate_by_torch(styles, to)
    for place, own in zip(to.rgbs, colours, strict=True):
        style = styles[:, 16 + place.start : 16 + place.stop]
        assert torch.allclose(made[:, :, place], own * style[:, None])


def test_from_feature_to_scales_there_is_one_launch_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Final linear, mapping, all styles, all scales; nothing else touches the device."""
    pytest.importorskip("triton")
    made = CudaGenerator(build(random_state(TINY)), torch.float16, CPU)
    feature = torch.zeros(2, TINY.widths[0], 4, 4).half().to(memory_format=torch.channels_last)
    with launches(monkeypatch) as found, torch.profiler.profile() as profiled:
        made._scaled(feature, BY_KERNEL)
    assert [launch.name for launch in found] == ["_dense"] * (TINY.n_mlp + 2) + ["_modulate"]
    quiet = {"empty", "new_empty", "view", "permute", "flatten", "slice", "as_strided", "_unsafe_view"}
    names = {event.name for event in profiled.events() if event.name.startswith("aten::")}
    assert names <= {f"aten::{name}" for name in quiet}


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_kernels_compile_for_gpus_that_are_not_here(
    dtype: torch.dtype, capability: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("triton")
    linear, sums = storages(dtype)
    bias, rows = torch.zeros(512), packed(torch.randn(512, 512), linear)
    first = DenseLayer(packed(torch.randn(512, 8192), linear), bias, input_bias=bias)
    to = modulation([torch.rand(512, 1024), torch.rand(64, 128)], [torch.rand(3, 1024)], sums)
    with launches(monkeypatch) as found:
        for faces in (1, 32):
            dense.dense_by_kernel(torch.zeros(faces, 8192).to(dtype), first)
            dense.dense_by_kernel(torch.zeros(faces, 512), DenseLayer(rows, bias, normalised=True))
            modulate.modulate_by_kernel(torch.zeros(faces, 2176), to)
    for launch in found:
        needs = compiled(launch, capability)
        assert needs.stack == 0, f"{launch.name} spills registers"
        assert needs.shared <= 48 << 10, launch.name


@pytest.mark.cuda
@pytest.mark.parametrize("faces", [1, 8, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_compiled_kernels_equal_their_references_at_full_width(dtype: torch.dtype, faces: int) -> None:
    cuda = torch.device("cuda", 0)
    linear, sums = storages(dtype)
    bias = torch.randn(512, device=cuda)
    first = DenseLayer(packed(torch.randn(512, 8192, device=cuda), linear), bias, input_bias=bias)
    second = DenseLayer(packed(torch.randn(512, 512, device=cuda), linear), bias, normalised=True)
    squares = [torch.rand(512, 1024, device=cuda), torch.rand(64, 128, device=cuda)]
    to = modulation(squares, [torch.randn(3, 1024, device=cuda)], sums)
    x, styles = torch.randn(faces, 8192, device=cuda).to(dtype), torch.randn(faces, 2176, device=cuda) * 1e4
    with arithmetic("fp32", cuda):
        for given in ((x, first), (x[:, :512], second)):
            assert alike(dense.dense(*given), dense_by_torch(*given), torch.float32)
        for found, wanted in zip(modulate.modulate(styles, to), modulate_by_torch(styles, to), strict=True):
            assert alike(found, wanted, torch.float32)


@pytest.mark.cuda
def test_memory_allocated_for_weights_on_cuda() -> None:
    network = build(random_state(PUBLISHED["gpen-bfr-256"].config))
    eager = sum(each.numel() * each.element_size() for each in network.state_dict().values())
    before = torch.cuda.memory_allocated()
    made = CudaGenerator(network, torch.float16, torch.device("cuda", 0))
    assert (torch.cuda.memory_allocated() - before) / eager <= 0.54
    assert made.dtype == torch.float16
