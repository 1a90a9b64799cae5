"""Arguments with which `tricks.py` times each kernel, at a network's own sizes.

Also the network with its linear layers as torch operations, to compare their kernels with.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cuda.generator import CudaGenerator
from gpen_fast.gpen.cuda.kernels.dense import DenseLayer, dense_by_torch
from gpen_fast.gpen.cuda.kernels.modulate import ModulationPlan, plan_modulation
from gpen_fast.gpen.cuda.kernels.rows import PackedRows, pack_rows, storage_dtypes
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams


@dataclass(frozen=True, eq=False)
class Unpacked(PackedRows):
    """A weight in float32 for torch's matrix product, which has no use for 16-bit rows with scales."""

    def unpacked(self) -> Tensor:
        """Returns the weight, (out,in) float32."""
        return self.values


def unpacked(layer: DenseLayer) -> DenseLayer:
    """Returns the same layer with its weight in float32, for torch."""
    return replace(layer, weight=Unpacked(layer.weight.unpacked(), layer.weight.scale))


def with_linear_by_torch(generator: CudaGenerator) -> CudaGenerator:
    """Returns the same network with linear layers in torch: matrix product, bias and activation are separate calls."""
    other = copy.copy(generator)
    other._latent = [unpacked(layer) for layer in generator._latent]
    other.kernels = replace(generator.kernels, dense=dense_by_torch)
    return other


def decoder_sizes(config: GeneratorConfig) -> list[tuple[int, int, int]]:
    """Returns, for each size above the first: side, channels, and channels at half the side."""
    return [(side, config.width(side), config.width(side // 2)) for side in config.sides[1:]]


def kernel_calls(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device
) -> Iterator[tuple[str, int | None, int, str, tuple, tuple, int]]:
    """Yields one kernel call after the other.

    Each is the row's label, side, channels, the step's name, the kernel's arguments, its torch reference's arguments,
    and the bytes that must be moved.
    """
    for name, width, *others in latent_calls(config, batch, dtype, device):
        yield name, None, width, *others
    for side, channels, _ in decoder_sizes(config):
        for name, arguments, moved in step_calls(side, channels, batch, dtype, device):
            yield name, side, channels, name, arguments, arguments, moved


def step_calls(side: int, channels: int, batch: int, dtype: torch.dtype, device: torch.device) -> list[tuple]:
    """Returns the calls of one size: the step's name, its arguments, and the bytes that must be moved."""

    def picture(extra: int) -> Tensor:
        shape = (batch, channels, side + extra, side + extra)
        return torch.randn(shape, dtype=dtype, device=device).contiguous(memory_format=NHWC)

    def vector(*shape: int) -> Tensor:
        return torch.randn(*shape, device=device)

    epilogue = EpilogueParams(vector(channels), vector(channels), 0.3, vector(channels))
    scale, following = vector(batch, channels), vector(batch, 2 * channels)
    colours = ToRGBParams(vector(batch, 3, 2 * channels), vector(3), vector(batch, 3, side // 2, side // 2))
    raw, feature = picture(0), picture(0)
    half = raw.numel() * raw.element_size()
    rgb = batch * side * side * 3 * 4 * 5 // 4
    return [
        ("blur", (feature, epilogue.bias), 2 * half),
        ("up_epilogue", (picture(1), feature, scale, epilogue, following), 4 * half),
        ("same_epilogue", (raw, feature, scale, epilogue, following, colours), 4 * half + rgb),
        ("same_epilogue", (raw, feature, scale, epilogue, None, colours), 2 * half + rgb),
    ]


def latent_calls(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device
) -> list[tuple]:
    """Returns the calls of the latent's linear layers and of the modulation.

    Each is the row's label, the input width, then as `kernel_calls` yields them.
    """
    first, dim = config.width(4), config.style_dim
    plan = modulation_of(config, dtype, device)
    styles = torch.randn(batch, plan.conv_styles + plan.rgb_weights.shape[1], device=device)
    around = {"input_bias": torch.randn(first, device=device)}
    rows: list[tuple] = []
    for label, width, outs, dtype_in, options in (
        ("final linear", 16 * first, dim, dtype, around),
        ("mapping", dim, dim, torch.float32, {}),
        ("all styles", dim, styles.shape[1], torch.float32, {"activated": False}),
    ):
        weight = pack_rows(torch.randn(outs, width, device=device) / width**0.5, storage_dtypes(dtype)[0])
        layer = DenseLayer(weight, torch.randn(outs, device=device), **options)
        x = torch.randn(batch, width, device=device).to(dtype_in)
        moved = bytes_of(x, weight.values, weight.scale, layer.bias) + 4 * batch * outs
        rows.append((label, width, "dense", (x, layer), (x, unpacked(layer)), moved))
    written = 4 * batch * (plan.conv_styles + len(plan.scale) + plan.rgb_weights.numel())
    moved = bytes_of(styles, plan.squares, plan.scale, plan.rgb_weights) + written
    return [
        *rows,
        ("modulate", styles.shape[1], "modulate", (styles, plan), (styles, plan), moved),
    ]


def modulation_of(config: GeneratorConfig, dtype: torch.dtype, device: torch.device) -> ModulationPlan:
    """Returns a modulation with random weights of the network's shapes."""
    shapes = [(config.width(4), config.width(4))]
    for side in config.sides[1:]:
        width = config.width(side)
        shapes += [(width, 2 * config.width(side // 2)), (width, 2 * width)]
    squares = [torch.rand(shape, device=device) for shape in shapes]
    colours = [torch.randn(3, 2 * config.width(side), device=device) for side in config.sides]
    return plan_modulation(squares, colours, storage_dtypes(dtype)[1])


def bytes_of(*tensors: Any) -> int:
    """Returns the bytes of all tensors together."""
    return sum(each.numel() * each.element_size() for each in tensors)
