"""The blur before an encoder's strided convolution, with the bias and leaky ReLU of the layer before, in one pass."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, fir_row, jit, next_power_of_two, tl
from gpen_fast.gpen.cuda.kernels.wide import NHWC, activate, empty_nhwc
from gpen_fast.gpen.layers import LEAK, fir_kernel

# Elements of one of a program's rows: 16 bytes of half precision for each of 128 threads.
_TILE = 1024
# Rows that a program writes. The kernel has this number built in.
_ROWS = 4


def blur(feature: Tensor, bias: Tensor) -> Tensor:
    """Bias, leaky ReLU, two zeros on each side, then the FIR [1,3,3,1] x [1,3,3,1] with gain 1.

    Source: `FusedLeakyReLU` and `Blur` of `layers.py`.

    Args:
        feature: (B,C,H,W), the output of the layer before, which lacks its bias and activation.
        bias: (C,) float32.

    Returns:
        (B,C,H+1,W+1), NHWC, of feature's dtype; the values between are float32.
    """
    return blur_by_kernel(feature, bias) if feature.is_cuda else blur_by_torch(feature, bias)


def blur_by_torch(feature: Tensor, bias: Tensor) -> Tensor:
    """`blur` in torch operations, on any device."""
    channels = feature.shape[1]
    fir = fir_kernel().to(feature.device).expand(channels, 1, -1, -1)
    smooth = F.conv2d(activate(feature, bias), fir, padding=2, groups=channels)
    return smooth.to(feature.dtype, memory_format=NHWC)


def blur_by_kernel(feature: Tensor, bias: Tensor) -> Tensor:
    """`blur` by Triton."""
    batch, channels, height, width = feature.shape
    feature = feature.contiguous(memory_format=NHWC)
    out = empty_nhwc(feature, channels, height + 1, width + 1)
    # A tile of X columns by C channels of one row: channels first, since they are adjacent in memory.
    columns = min(max(1, _TILE // min(next_power_of_two(channels), 64)), next_power_of_two(width))
    deep = min(next_power_of_two(channels), _TILE // columns)
    grid = (-(-(width + 1) // columns) * -(-channels // deep), -(-(height + 1) // _ROWS), batch)
    with torch.cuda.device_of(feature):
        _blur[grid](feature, out, bias, height, width, channels, columns, deep, LEAK, **OPTIONS)
    return out


@jit
def _blur(
    feature, out, bias, height, width,
    channels: tl.constexpr, X: tl.constexpr, C: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    """Four rows of an output, X columns by C channels. A kernel takes its launch arguments one by one."""
    face = tl.program_id(2).to(tl.int64)
    parts = tl.cdiv(channels, C)
    x = tl.program_id(0) // parts * X + tl.arange(0, X)
    channel = tl.program_id(0) % parts * C + tl.arange(0, C)
    y = tl.program_id(1) * 4
    own = tl.load(bias + channel, mask=channel < channels, other=0)
    source = feature + face * height * width * channels
    # Output row y sums the input rows y-2 .. y+1 by 1,3,3,1; each row is summed along its columns x-2 .. x+1 once.
    # a, b, c, d are (X,C) float32 rows in a sliding window, so that the four output rows read seven input rows.
    a = fir_row(source, y - 2, x - 2, channel, own, height, width, channels, True, LEAK)
    b = fir_row(source, y - 1, x - 2, channel, own, height, width, channels, True, LEAK)
    c = fir_row(source, y, x - 2, channel, own, height, width, channels, True, LEAK)
    for step in tl.static_range(4):
        d = fir_row(source, y + 1 + step, x - 2, channel, own, height, width, channels, True, LEAK)
        inside = ((x < width + 1) & (y + step + x * 0 < height + 1))[:, None] & (channel < channels)[None, :]
        target = out + (face * (height + 1) + y + step) * (width + 1) * channels
        # The taps of both directions sum to 8 * 8.
        smooth = (a + d + 3 * (b + c)) / 64
        tl.store(
            target + x[:, None] * channels + channel[None, :], smooth.to(out.dtype.element_ty), mask=inside
        )
        a = b
        b = c
        c = d
