"""The end of an up-convolution: FIR, demodulation, bias, leaky ReLU, the encoder's half, the next style; one pass."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, across, jit, leaky, power_of_two, skip_half, tl
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams, empty_nhwc, wide_by_torch
from gpen_fast.gpen.folded.layers import per_channel
from gpen_fast.gpen.layers import LEAK, fir_kernel

# Elements of one of a program's four rows: 16 bytes of half precision for each of 128 threads.
_TILE = 1024
_ROWS = 4


def end_up(
    raw: Tensor, feature: Tensor, scale: Tensor, epilogue: EpilogueParams, following: Tensor
) -> Tensor:
    """(B,2C,H,W) for the next convolution, of raw's dtype; everything between is float32.

    raw: (B,C,H+1,W+1), what conv_transpose2d with stride 2 gave. It goes through the FIR [1,3,3,1] x [1,3,3,1] with
    gain 4 and is demodulated by `scale`, (B,C) float32. feature: (B,C,H,W), what the encoder's convolution gave.
    following: (B,2C) float32, the next convolution's input scales. (B,C) tensors may have any stride between faces.
    Source: `ModulatedConv2d`, `FeatureInjection` and `FusedLeakyReLU` of `layers.py` and `network.py`.
    """
    by = end_up_by_kernel if raw.is_cuda else end_up_by_torch
    return by(raw, feature, scale, epilogue, following)


def end_up_by_torch(
    raw: Tensor, feature: Tensor, scale: Tensor, epilogue: EpilogueParams, following: Tensor
) -> Tensor:
    """`end_up` in torch operations, on any device."""
    channels = raw.shape[1]
    fir = fir_kernel(gain=4.0).to(raw.device).expand(channels, 1, -1, -1)
    smooth = F.conv2d(raw.float(), fir, padding=1, groups=channels)
    wide = wide_by_torch(smooth, feature, scale, epilogue) * per_channel(following)
    return wide.to(raw.dtype, memory_format=NHWC)


def end_up_by_kernel(
    raw: Tensor, feature: Tensor, scale: Tensor, epilogue: EpilogueParams, following: Tensor
) -> Tensor:
    """`end_up` by Triton."""
    batch, channels, height, width = feature.shape
    raw, feature = raw.contiguous(memory_format=NHWC), feature.contiguous(memory_format=NHWC)
    out = empty_nhwc(raw, 2 * channels, height, width)
    across_x = min(max(1, _TILE // min(power_of_two(channels), 64)), power_of_two(width))
    deep = min(power_of_two(channels), _TILE // across_x)
    grid = (-(-width // across_x) * -(-channels // deep), -(-height // _ROWS), batch)
    with torch.cuda.device_of(raw):
        _end_up[grid](
            raw, feature, out, scale, following, epilogue.bias, epilogue.feature_bias, epilogue.skip_bias,
            epilogue.skip_scale, height, width, channels, scale.stride(0), following.stride(0),
            across_x, deep, LEAK, **OPTIONS,
        )  # fmt: skip
    return out


@jit
def _end_up(
    raw, feature, out, scale, following, bias, feature_bias, skip_bias, skip_scale,
    height, width, channels: tl.constexpr, scale_stride, following_stride,
    X: tl.constexpr, C: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    face = tl.program_id(2).to(tl.int64)
    parts = tl.cdiv(channels, C)
    x = tl.program_id(0) // parts * X + tl.arange(0, X)
    channel = tl.program_id(0) % parts * C + tl.arange(0, C)
    y = tl.program_id(1) * 4
    there = channel < channels
    # The FIR's sum is 64; its gain of 4 leaves a sixteenth.
    factor = tl.load(scale + face * scale_stride + channel, mask=there, other=0)[None, :] / 16
    own = tl.load(bias + channel, mask=there, other=0)[None, :]
    seen = tl.load(feature_bias + channel, mask=there, other=0)[None, :]
    skip = tl.load(skip_bias + channel, mask=there, other=0)[None, :]
    first = tl.load(following + face * following_stride + channel, mask=there, other=0)[None, :]
    second = tl.load(following + face * following_stride + channels + channel, mask=there, other=0)[None, :]
    source = raw + face * (height + 1) * (width + 1) * channels
    # Seven rows serve four: each is read once.
    a = across(source, y - 1, x - 1, channel, own, height + 1, width + 1, channels, False, LEAK)
    b = across(source, y, x - 1, channel, own, height + 1, width + 1, channels, False, LEAK)
    c = across(source, y + 1, x - 1, channel, own, height + 1, width + 1, channels, False, LEAK)
    for step in tl.static_range(4):
        d = across(source, y + 2 + step, x - 1, channel, own, height + 1, width + 1, channels, False, LEAK)
        line = face * height + y + step
        inside = ((x < width) & (y + step + x * 0 < height))[:, None] & there[None, :]
        place = x[:, None] * channels + channel[None, :]
        brought = tl.load(feature + line * width * channels + place, mask=inside, other=0)
        value = leaky((a + d + 3 * (b + c)) * factor + own, LEAK) * first
        other = skip_half(brought, seen, skip, skip_scale, LEAK) * second
        target = out + line * width * (2 * channels)
        place = x[:, None] * (2 * channels) + channel[None, :]
        tl.store(target + place, value.to(out.dtype.element_ty), mask=inside)
        tl.store(target + channels + place, other.to(out.dtype.element_ty), mask=inside)
        a = b
        b = c
        c = d
