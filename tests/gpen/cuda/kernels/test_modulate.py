"""From styles to scales: those of the network's own convolutions, compiled, interpreted, and on a GPU."""

from __future__ import annotations

import pytest
import torch
from helpers import relative_l2
from launches import CAPABILITIES, assert_compiles, launches

from gpen_fast.device.precision import arithmetic
from gpen_fast.gpen.cuda.kernels.kernel_set import is_close
from gpen_fast.gpen.cuda.kernels.modulate import (
    align_up,
    aligned_slices,
    modulate,
    modulate_by_kernel,
    modulate_by_torch,
    plan_modulation,
)
from gpen_fast.gpen.cuda.kernels.rows import storage_dtypes
from gpen_fast.gpen.layers import ModulatedConv2d


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
    plan = plan_modulation(squares, [torch.randn(3, 4)], storage)
    assert plan.squares.numel() == 16 * 32 + 16 * 16
    given = torch.zeros(2, plan.conv_styles + 16)
    for place, style in zip(plan.input_slices, styles, strict=True):
        given[:, place] = style
    inputs, outputs, _ = modulate_by_torch(given, plan)
    for conv, read, written in zip(convs, plan.input_slices, plan.output_slices, strict=True):
        with torch.no_grad():
            wanted = conv.double()._weights_per_sample(latent.double())
        found = conv.weight.detach()[0] * conv.scale * inputs[:, None, read, None, None]
        found = found * outputs[:, written, None, None, None]
        assert relative_l2(found, wanted) <= (1e-6 if storage == torch.float32 else 3e-4)
        assert float(inputs[:, read].abs().max()) <= 1


def test_rgb_weights_are_weights_times_styles() -> None:
    colours = [torch.randn(3, 8), torch.randn(3, 20)]
    plan = plan_modulation([torch.rand(4, 4)], colours, torch.float32)
    styles = torch.randn(2, 16 + 16 + 32)
    _, _, made = modulate_by_torch(styles, plan)
    for place, own in zip(plan.rgb_slices, colours, strict=True):
        style = styles[:, 16 + place.start : 16 + place.stop]
        assert torch.allclose(made[:, :, place], own * style[:, None])


def test_layers_start_where_vectors_may() -> None:
    assert [align_up(number) for number in (0, 1, 16, 17)] == [0, 16, 16, 32]
    assert aligned_slices([3, 16, 20]) == (slice(0, 3), slice(16, 32), slice(32, 52))


def test_the_interpreted_kernel_equals_its_reference(interpreted: dict[str, str]) -> None:
    assert interpreted["modulate"] == ""


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_kernel_compiles_for_gpus_that_are_not_here(
    dtype: torch.dtype, capability: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("triton")
    _, sums = storage_dtypes(dtype)
    plan = plan_modulation([torch.rand(512, 1024), torch.rand(64, 128)], [torch.rand(3, 1024)], sums)
    with launches(monkeypatch) as found:
        for faces in (1, 32):
            modulate_by_kernel(torch.zeros(faces, 2176), plan)
    assert_compiles(found, capability)


@pytest.mark.cuda
@pytest.mark.parametrize("faces", [1, 8, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_compiled_kernel_equals_its_reference_at_full_width(dtype: torch.dtype, faces: int) -> None:
    cuda = torch.device("cuda", 0)
    _, sums = storage_dtypes(dtype)
    squares = [torch.rand(512, 1024, device=cuda), torch.rand(64, 128, device=cuda)]
    plan = plan_modulation(squares, [torch.randn(3, 1024, device=cuda)], sums)
    styles = torch.randn(faces, 2176, device=cuda) * 1e4
    with arithmetic("fp32", cuda):
        for found, wanted in zip(modulate(styles, plan), modulate_by_torch(styles, plan), strict=True):
            assert is_close(found, wanted, torch.float32)
