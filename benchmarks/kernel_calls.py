"""The arguments with which `tricks.py` calls each kernel, and the network with its linear layers run by torch."""

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
    """A weight kept in float32 for matrix products, as before the kernel existed."""

    def unpacked(self) -> Tensor:
        """(out,in) float32."""
        return self.values


def unpacked(layer: DenseLayer) -> DenseLayer:
    """The same layer with a float32 weight, run by torch."""
    return replace(layer, weight=Unpacked(layer.weight.unpacked(), layer.weight.scale))


def with_linear_by_torch(made: CudaGenerator) -> CudaGenerator:
    """The same network with its linear layers as matrix products, and bias and activation as separate operations."""
    other = copy.copy(made)
    other._latent = [unpacked(layer) for layer in made._latent]
    other.kernels = replace(made.kernels, dense=dense_by_torch)
    return other


def decoder_sizes(config: GeneratorConfig) -> list[tuple[int, int, int]]:
    """Side, channels, and channels at half the side."""
    return [(side, config.width(side), config.width(side // 2)) for side in config.sides[1:]]


def kernel_calls(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device
) -> Iterator[tuple[str, int | None, int, str, tuple, tuple, int]]:
    """Row name, side, channels, step, arguments, its reference's arguments, and the bytes it must move."""
    for name, width, *others in latent_calls(config, batch, dtype, device):
        yield name, None, width, *others
    for side, channels, _ in decoder_sizes(config):
        for name, given, moved in step_calls(side, channels, batch, dtype, device):
            yield name, side, channels, name, given, given, moved


def step_calls(side: int, channels: int, batch: int, dtype: torch.dtype, device: torch.device) -> list[tuple]:
    """Name, arguments, and the bytes that the kernel must move."""

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
    """Row name, input width, step, arguments, its torch reference's arguments, and the bytes it must move."""
    first, dim = config.width(4), config.style_dim
    to = modulation_of(config, dtype, device)
    styles = torch.randn(batch, to.conv_styles + to.rgb_weights.shape[1], device=device)
    around = {"input_bias": torch.randn(first, device=device)}
    rows: list[tuple] = []
    for name, width, outs, given, more in (
        ("final linear", 16 * first, dim, dtype, around),
        ("mapping", dim, dim, torch.float32, {}),
        ("all styles", dim, styles.shape[1], torch.float32, {"activated": False}),
    ):
        weight = pack_rows(torch.randn(outs, width, device=device) / width**0.5, storage_dtypes(dtype)[0])
        layer = DenseLayer(weight, torch.randn(outs, device=device), **more)
        x = torch.randn(batch, width, device=device).to(given)
        moved = bytes_of(x, weight.values, weight.scale, layer.bias) + 4 * batch * outs
        rows.append((name, width, "dense", (x, layer), (x, unpacked(layer)), moved))
    made = 4 * batch * (to.conv_styles + len(to.scale) + to.rgb_weights.numel())
    moved = bytes_of(styles, to.squares, to.scale, to.rgb_weights) + made
    return [*rows, ("modulate", styles.shape[1], "modulate", (styles, to), (styles, to), moved)]


def modulation_of(config: GeneratorConfig, dtype: torch.dtype, device: torch.device) -> ModulationPlan:
    """Random sums of squares and ToRGB weights of the published shapes."""
    shapes = [(config.width(4), config.width(4))]
    for side in config.sides[1:]:
        width = config.width(side)
        shapes += [(width, 2 * config.width(side // 2)), (width, 2 * width)]
    squares = [torch.rand(shape, device=device) for shape in shapes]
    colours = [torch.randn(3, 2 * config.width(side), device=device) for side in config.sides]
    return plan_modulation(squares, colours, storage_dtypes(dtype)[1])


def bytes_of(*tensors: Any) -> int:
    """The total bytes of some tensors."""
    return sum(each.numel() * each.element_size() for each in tensors)
