"""A linear layer between the encoder and the styles, with everything around it, in one pass.

Its weight stays in 16 bits until it is used (`rows.py`): a product with few rows is bound by the weight's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import jit, leaky, tl
from gpen_fast.gpen.cuda.kernels.rows import ROWS_OPTIONS, ROWS_PER_PROGRAM, PackedRows, tile_sizes
from gpen_fast.gpen.folded.layers import EPSILON
from gpen_fast.gpen.layers import LEAK


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """A linear layer and what stands around it."""

    weight: PackedRows
    """(out,in), with scale and gain in it."""
    bias: Tensor
    """(out,) float32."""
    activated: bool = True
    """Whether a leaky ReLU follows."""
    normalised: bool = False
    """Whether the input is first brought to unit mean square (pixel norm)."""
    input_bias: Tensor | None = None
    """(C,) float32: the input is an encoder convolution's output, flattened channels last, (..., C), which first gets
    this bias and the leaky ReLU. None: the input is used as it is."""


def dense(x: Tensor, layer: DenseLayer) -> Tensor:
    """leaky(W norm(leaky(x + input_bias)) + bias), each part where the layer has it.

    Source: `EqualLinear` and `PixelNorm` of `layers.py`, scales and gains folded into weight and bias.

    Args:
        x: (B,in) of any float dtype; rows may have any stride.
        layer: Weight and what stands around it.

    Returns:
        (B,out) float32, computed in float32.
    """
    return dense_by_kernel(x, layer) if x.is_cuda else dense_by_torch(x, layer)


def dense_by_torch(x: Tensor, layer: DenseLayer) -> Tensor:
    """`dense` in torch operations, on any device."""
    x = x.float()
    if layer.input_bias is not None:
        x = F.leaky_relu(x + layer.input_bias.repeat(x.shape[1] // len(layer.input_bias)), LEAK)
    if layer.normalised:
        x = F.rms_norm(x, x.shape[1:], eps=EPSILON)
    out = F.linear(x, layer.weight.unpacked(), layer.bias)
    return F.leaky_relu(out, LEAK) if layer.activated else out


def dense_by_kernel(x: Tensor, layer: DenseLayer) -> Tensor:
    """`dense` by Triton."""
    (faces, width), outs = x.shape, len(layer.bias)
    x = x if x.stride(1) == 1 else x.contiguous()
    out = torch.empty(faces, outs, dtype=torch.float32, device=x.device)
    together, deep = tile_sizes(faces, width)
    # The kernel does not read what is absent, but each argument must be some tensor.
    input_bias = layer.bias if layer.input_bias is None else layer.input_bias
    with torch.cuda.device_of(x):
        _dense[(-(-outs // ROWS_PER_PROGRAM), -(-faces // together))](
            x, layer.weight.values, layer.weight.scale, layer.bias, input_bias, out,
            faces, width, outs, x.stride(0), len(input_bias),
            layer.input_bias is not None, layer.normalised, layer.activated,
            together, ROWS_PER_PROGRAM, deep, EPSILON, LEAK, **ROWS_OPTIONS,
        )  # fmt: skip
    return out


@jit
def _dense(
    x, values, scale, bias, input_bias, out, faces, width, outs, x_stride, channels,
    BIASED: tl.constexpr, NORMALISED: tl.constexpr, ACTIVATED: tl.constexpr,
    F: tl.constexpr, R: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    """R outputs of F faces, K inputs at a time. A kernel takes its launch arguments one by one."""
    face = tl.program_id(1) * F + tl.arange(0, F)
    row = tl.program_id(0) * R + tl.arange(0, R)
    source = x + face[:, None, None].to(tl.int64) * x_stride
    weights = values + row[None, :, None] * width
    # (F,R,K) float32 products and (F,1,K) squares: K sums each side by side, added up once after the loop.
    products = tl.zeros((F, R, K), tl.float32)
    squares = tl.zeros((F, 1, K), tl.float32)
    for start in range(0, width, K):
        k = start + tl.arange(0, K)[None, None, :]
        there = (face < faces)[:, None, None] & (k < width)
        # (F,1,K) inputs and (1,R,K) weights.
        value = tl.load(source + k, mask=there, other=0).to(tl.float32)
        weight = tl.load(weights + k, mask=(row < outs)[None, :, None] & (k < width), other=0)
        if BIASED:
            own = tl.load(input_bias + k % channels)
            value = tl.where(there, leaky(value + own, LEAK), 0.0)
        if NORMALISED:
            squares += value * value
        products += value * weight.to(tl.float32)
    factor = tl.load(scale + row, mask=row < outs, other=0)[None, :]
    if NORMALISED:
        # W (x * n) = n * (W x): the norm is one factor of a face, applied after the product.
        factor = factor * tl.math.rsqrt(tl.sum(squares, axis=2) / width + EPSILON)
    # (F,R,K) -> (F,R), times the rows' scales, plus the bias.
    total = tl.sum(products, axis=2) * factor + tl.load(bias + row, mask=row < outs, other=0)[None, :]
    if ACTIVATED:
        total = leaky(total, LEAK)
    place = face[:, None].to(tl.int64) * outs + row[None, :]
    tl.store(out + place, total, mask=(face < faces)[:, None] & (row < outs)[None, :])
