"""The epilogue of an up-convolution: FIR, demodulation, both halves, the next input scales, in one pass."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, fir_row, jit, leaky, next_power_of_two, skip_half, tl
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams, empty_nhwc, wide_by_torch
from gpen_fast.gpen.folded.layers import per_channel
from gpen_fast.gpen.layers import LEAK, fir_kernel

# Elements of one of a program's rows: 16 bytes of half precision for each of 128 threads.
_TILE = 1024
# Rows that a program writes. The kernel has this number built in.
_ROWS = 4


def up_epilogue(
    raw: Tensor, feature: Tensor, demodulation: Tensor, epilogue: EpilogueParams, next_scale: Tensor
) -> Tensor:
    """From an up-convolution's output to the next convolution's input.

        own  = leaky(demodulation * FIR(raw) + bias)
        skip = leaky(skip_scale * leaky(feature + feature_bias) + skip_bias)
        out  = [own, skip] * next_scale

    The FIR is [1,3,3,1] x [1,3,3,1] with gain 4.
    Source: `ModulatedConv2d`, `FeatureInjection` and `FusedLeakyReLU` of `layers.py` and `reference.py`.

    Args:
        raw: (B,C,H+1,W+1), the output of conv_transpose2d with stride 2.
        feature: (B,C,H,W), the output of the encoder's convolution.
        demodulation: (B,C) float32, any stride between faces.
        epilogue: Biases and the skip scale.
        next_scale: (B,2C) float32, the next convolution's input scales, any stride between faces.

    Returns:
        (B,2C,H,W), NHWC, of raw's dtype; the values between are float32. The two halves are written where they
        belong and never concatenated.
    """
    by = up_epilogue_by_kernel if raw.is_cuda else up_epilogue_by_torch
    return by(raw, feature, demodulation, epilogue, next_scale)


def up_epilogue_by_torch(
    raw: Tensor, feature: Tensor, demodulation: Tensor, epilogue: EpilogueParams, next_scale: Tensor
) -> Tensor:
    """`up_epilogue` in torch operations, on any device."""
    channels = raw.shape[1]
    fir = fir_kernel(gain=4.0).to(raw.device).expand(channels, 1, -1, -1)
    # (B,C,H+1,W+1) -> (B,C,H,W).
    smooth = F.conv2d(raw.float(), fir, padding=1, groups=channels)
    wide = wide_by_torch(smooth, feature, demodulation, epilogue) * per_channel(next_scale)
    return wide.to(raw.dtype, memory_format=NHWC)


def up_epilogue_by_kernel(
    raw: Tensor, feature: Tensor, demodulation: Tensor, epilogue: EpilogueParams, next_scale: Tensor
) -> Tensor:
    """`up_epilogue` by Triton."""
    batch, channels, height, width = feature.shape
    raw, feature = raw.contiguous(memory_format=NHWC), feature.contiguous(memory_format=NHWC)
    out = empty_nhwc(raw, 2 * channels, height, width)
    # A tile of X columns by C channels of one row: channels first, since they are adjacent in memory.
    columns = min(max(1, _TILE // min(next_power_of_two(channels), 64)), next_power_of_two(width))
    deep = min(next_power_of_two(channels), _TILE // columns)
    grid = (-(-width // columns) * -(-channels // deep), -(-height // _ROWS), batch)
    with torch.cuda.device_of(raw):
        _up_epilogue[grid](
            raw, feature, out, demodulation, next_scale,
            epilogue.bias, epilogue.feature_bias, epilogue.skip_bias, epilogue.skip_scale,
            height, width, channels, demodulation.stride(0), next_scale.stride(0),
            columns, deep, LEAK, **OPTIONS,
        )  # fmt: skip
    return out


@jit
def _up_epilogue(
    raw, feature, out, demodulation, next_scale, bias, feature_bias, skip_bias, skip_scale,
    height, width, channels: tl.constexpr, demodulation_stride, next_scale_stride,
    X: tl.constexpr, C: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    """Four rows of both halves, X columns by C channels. A kernel takes its launch arguments one by one."""
    face = tl.program_id(2).to(tl.int64)
    parts = tl.cdiv(channels, C)
    x = tl.program_id(0) // parts * X + tl.arange(0, X)
    channel = tl.program_id(0) % parts * C + tl.arange(0, C)
    y = tl.program_id(1) * 4
    there = channel < channels
    # (1,C) float32 each. The FIR's taps sum to 64; with its gain of 4, a sixteenth is left to divide by.
    factor = tl.load(demodulation + face * demodulation_stride + channel, mask=there, other=0)[None, :] / 16
    own_bias = tl.load(bias + channel, mask=there, other=0)[None, :]
    encoder_bias = tl.load(feature_bias + channel, mask=there, other=0)[None, :]
    second_bias = tl.load(skip_bias + channel, mask=there, other=0)[None, :]
    scales = next_scale + face * next_scale_stride + channel
    own_scale = tl.load(scales, mask=there, other=0)[None, :]
    second_scale = tl.load(scales + channels, mask=there, other=0)[None, :]
    source = raw + face * (height + 1) * (width + 1) * channels
    # Output row y sums the input rows y-1 .. y+2 by 1,3,3,1; each row is summed along its columns x-1 .. x+2 once.
    # a, b, c, d are (X,C) float32 rows in a sliding window, so that the four output rows read seven input rows.
    a = fir_row(source, y - 1, x - 1, channel, own_bias, height + 1, width + 1, channels, False, LEAK)
    b = fir_row(source, y, x - 1, channel, own_bias, height + 1, width + 1, channels, False, LEAK)
    c = fir_row(source, y + 1, x - 1, channel, own_bias, height + 1, width + 1, channels, False, LEAK)
    for step in tl.static_range(4):
        d = fir_row(
            source, y + 2 + step, x - 1, channel, own_bias, height + 1, width + 1, channels, False, LEAK
        )
        line = face * height + y + step
        inside = ((x < width) & (y + step + x * 0 < height))[:, None] & there[None, :]
        place = x[:, None] * channels + channel[None, :]
        # (X,C) values of the encoder, loaded before the sums so that they arrive meanwhile.
        encoder = tl.load(feature + line * width * channels + place, mask=inside, other=0)
        # The convolution's half: (X,C) float32, demodulated, activated, scaled for the next convolution.
        own = leaky((a + d + 3 * (b + c)) * factor + own_bias, LEAK) * own_scale
        # The skip half, likewise.
        second = skip_half(encoder, encoder_bias, second_bias, skip_scale, LEAK) * second_scale
        # Both halves of a pixel are 2C adjacent values.
        target = out + line * width * (2 * channels)
        place = x[:, None] * (2 * channels) + channel[None, :]
        tl.store(target + place, own.to(out.dtype.element_ty), mask=inside)
        tl.store(target + channels + place, second.to(out.dtype.element_ty), mask=inside)
        a = b
        b = c
        c = d
