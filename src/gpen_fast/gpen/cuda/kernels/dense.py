"""A linear layer on the latent's way, with all around it in one pass; its weight stays in 16 bits until it is used."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import jit, leaky, tl
from gpen_fast.gpen.cuda.kernels.rows import ROWS, ROWS_OPTIONS, Rows, at_once
from gpen_fast.gpen.folded.layers import EPSILON
from gpen_fast.gpen.layers import LEAK


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """A linear layer and what stands around it. bias: (out,) float32.

    activated: a leaky ReLU follows. normalised: the input is brought to unit mean square first (pixel norm).
    input_bias: (C,) float32, what an encoder's convolution still lacks: the input, of C values again and again, is
    first given that and the leaky ReLU. None: nothing is lacking.
    """

    weight: Rows
    bias: Tensor
    activated: bool = True
    normalised: bool = False
    input_bias: Tensor | None = None


def dense(x: Tensor, layer: DenseLayer) -> Tensor:
    """(B,out) float32, computed in float32. x: (B,in) of any float dtype; rows may have any stride.

    Source: `EqualLinear` and `PixelNorm` of `layers.py`, scales and gains folded into weight and bias.
    """
    return dense_by_kernel(x, layer) if x.is_cuda else dense_by_torch(x, layer)


def dense_by_torch(x: Tensor, layer: DenseLayer) -> Tensor:
    """`dense` in torch operations, on any device."""
    x = x.float()
    if layer.input_bias is not None:
        x = F.leaky_relu(x + layer.input_bias.repeat(x.shape[1] // len(layer.input_bias)), LEAK)
    if layer.normalised:
        x = F.rms_norm(x, x.shape[1:], eps=EPSILON)
    out = F.linear(x, layer.weight.whole(), layer.bias)
    return F.leaky_relu(out, LEAK) if layer.activated else out


def dense_by_kernel(x: Tensor, layer: DenseLayer) -> Tensor:
    """`dense` by Triton."""
    (faces, width), outs = x.shape, len(layer.bias)
    x = x if x.stride(1) == 1 else x.contiguous()
    out = torch.empty(faces, outs, dtype=torch.float32, device=x.device)
    together, deep = at_once(faces, width)
    # What is absent is not read; a pointer must stand there all the same.
    lacking = layer.bias if layer.input_bias is None else layer.input_bias
    with torch.cuda.device_of(x):
        _dense[(-(-outs // ROWS), -(-faces // together))](
            x, layer.weight.values, layer.weight.scale, layer.bias, lacking, out,
            faces, width, outs, x.stride(0), len(lacking),
            layer.input_bias is not None, layer.normalised, layer.activated,
            together, ROWS, deep, EPSILON, LEAK, **ROWS_OPTIONS,
        )  # fmt: skip
    return out


@jit
def _dense(
    x, values, scale, bias, input_bias, out, faces, width, outs, x_stride, channels,
    LACKING: tl.constexpr, NORMALISED: tl.constexpr, ACTIVATED: tl.constexpr,
    F: tl.constexpr, R: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    face = tl.program_id(1) * F + tl.arange(0, F)
    row = tl.program_id(0) * R + tl.arange(0, R)
    source = x + face[:, None, None].to(tl.int64) * x_stride
    weights = values + row[None, :, None] * width
    products = tl.zeros((F, R, K), tl.float32)
    squares = tl.zeros((F, 1, K), tl.float32)
    for start in range(0, width, K):
        k = start + tl.arange(0, K)[None, None, :]
        there = (face < faces)[:, None, None] & (k < width)
        value = tl.load(source + k, mask=there, other=0).to(tl.float32)
        weight = tl.load(weights + k, mask=(row < outs)[None, :, None] & (k < width), other=0)
        if LACKING:
            own = tl.load(input_bias + k % channels)
            value = tl.where(there, leaky(value + own, LEAK), 0.0)
        if NORMALISED:
            squares += value * value
        products += value * weight.to(tl.float32)
    factor = tl.load(scale + row, mask=row < outs, other=0)[None, :]
    if NORMALISED:
        # The norm is a factor of the whole row, and so of its products.
        factor = factor * tl.math.rsqrt(tl.sum(squares, axis=2) / width + EPSILON)
    total = tl.sum(products, axis=2) * factor + tl.load(bias + row, mask=row < outs, other=0)[None, :]
    if ACTIVATED:
        total = leaky(total, LEAK)
    place = face[:, None].to(tl.int64) * outs + row[None, :]
    tl.store(out + place, total, mask=(face < faces)[:, None] & (row < outs)[None, :])
