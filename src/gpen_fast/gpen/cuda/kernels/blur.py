"""The blur in front of an encoder's strided convolution, with the bias and leaky ReLU of the layer before; one pass."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, across, jit, power_of_two, tl
from gpen_fast.gpen.cuda.kernels.wide import NHWC, activated, empty_nhwc
from gpen_fast.gpen.layers import LEAK, fir_kernel

_TILE = 1024
_ROWS = 4


def blur(feature: Tensor, bias: Tensor) -> Tensor:
    """(B,C,H+1,W+1) of feature's dtype; everything between is float32.

    feature: (B,C,H,W), what a convolution gave; it gets `bias`, (C,) float32, and the leaky ReLU, two zeros on each
    side, and the FIR [1,3,3,1] x [1,3,3,1] with gain 1. Source: `Blur` and `FusedLeakyReLU` of `layers.py`.
    """
    return blur_by_kernel(feature, bias) if feature.is_cuda else blur_by_torch(feature, bias)


def blur_by_torch(feature: Tensor, bias: Tensor) -> Tensor:
    """`blur` in torch operations, on any device."""
    channels = feature.shape[1]
    fir = fir_kernel().to(feature.device).expand(channels, 1, -1, -1)
    smooth = F.conv2d(activated(feature, bias), fir, padding=2, groups=channels)
    return smooth.to(feature.dtype, memory_format=NHWC)


def blur_by_kernel(feature: Tensor, bias: Tensor) -> Tensor:
    """`blur` by Triton."""
    batch, channels, height, width = feature.shape
    feature = feature.contiguous(memory_format=NHWC)
    out = empty_nhwc(feature, channels, height + 1, width + 1)
    across_x = min(max(1, _TILE // min(power_of_two(channels), 64)), power_of_two(width))
    deep = min(power_of_two(channels), _TILE // across_x)
    grid = (-(-(width + 1) // across_x) * -(-channels // deep), -(-(height + 1) // _ROWS), batch)
    with torch.cuda.device_of(feature):
        _blur[grid](feature, out, bias, height, width, channels, across_x, deep, LEAK, **OPTIONS)
    return out


@jit
def _blur(
    feature,
    out,
    bias,
    height,
    width,
    channels: tl.constexpr,
    X: tl.constexpr,
    C: tl.constexpr,
    LEAK: tl.constexpr,
):
    face = tl.program_id(2).to(tl.int64)
    parts = tl.cdiv(channels, C)
    x = tl.program_id(0) // parts * X + tl.arange(0, X)
    channel = tl.program_id(0) % parts * C + tl.arange(0, C)
    y = tl.program_id(1) * 4
    own = tl.load(bias + channel, mask=channel < channels, other=0)
    source = feature + face * height * width * channels
    a = across(source, y - 2, x - 2, channel, own, height, width, channels, True, LEAK)
    b = across(source, y - 1, x - 2, channel, own, height, width, channels, True, LEAK)
    c = across(source, y, x - 2, channel, own, height, width, channels, True, LEAK)
    for step in tl.static_range(4):
        d = across(source, y + 1 + step, x - 2, channel, own, height, width, channels, True, LEAK)
        inside = ((x < width + 1) & (y + step + x * 0 < height + 1))[:, None] & (channel < channels)[None, :]
        target = out + (face * (height + 1) + y + step) * (width + 1) * channels
        smooth = (a + d + 3 * (b + c)) / 64
        tl.store(
            target + x[:, None] * channels + channel[None, :], smooth.to(out.dtype.element_ty), mask=inside
        )
        a = b
        b = c
        c = d
