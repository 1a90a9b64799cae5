"""The end of a plain styled convolution with ToRGB in it: one pass writes the next input and this size's RGB."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, jit, leaky, power_of_two, skip_half, tl
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams, empty_nhwc, wide_by_torch
from gpen_fast.gpen.folded.layers import per_channel
from gpen_fast.gpen.layers import LEAK, fir_kernel

# Elements of one half that a program holds: 16 for each of 128 threads, and as many for each colour's sum.
_TILE = 2048
# Below so many pixels there are too few programs for long ones.
_FEW = 1024


@dataclass(frozen=True, eq=False)
class ToRGBParams:
    """ToRGB of one size, float32. weight: (B,3,2C), styles in it; bias: (3,); below: (B,3,H/2,W/2), smaller sizes."""

    weight: Tensor
    bias: Tensor
    below: Tensor | None


def end_same(
    raw: Tensor,
    feature: Tensor,
    scale: Tensor,
    epilogue: EpilogueParams,
    following: Tensor | None,
    colours: ToRGBParams,
) -> tuple[Tensor | None, Tensor]:
    """The (B,2C,H,W) input of the next convolution, of raw's dtype, and (B,3,H,W) RGB, contiguous and float32.

    raw, feature: (B,C,H,W), what this convolution and the encoder's gave. scale: (B,C) float32, the demodulation.
    following: (B,2C) float32, the next convolution's input scales; None where there is none, then no input is
    written. RGB is of the float32 values before those scales; `below`, doubled by the FIR [1,3,3,1] x [1,3,3,1] with
    gain 4, is added. Tensors of values per face may have any stride between faces.
    Source: `FeatureInjection`, `FusedLeakyReLU`, `ToRGB` and `Upsample` of `layers.py` and `network.py`.
    """
    by = end_same_by_kernel if raw.is_cuda else end_same_by_torch
    return by(raw, feature, scale, epilogue, following, colours)


def end_same_by_torch(
    raw: Tensor,
    feature: Tensor,
    scale: Tensor,
    epilogue: EpilogueParams,
    following: Tensor | None,
    colours: ToRGBParams,
) -> tuple[Tensor | None, Tensor]:
    """`end_same` in torch operations, on any device."""
    wide = wide_by_torch(raw, feature, scale, epilogue)
    rgb = torch.einsum("bchw,bkc->bkhw", wide, colours.weight) + colours.bias[:, None, None]
    if colours.below is not None:
        fir = fir_kernel(gain=4.0).to(raw.device).expand(3, 1, -1, -1)
        rgb = rgb + F.conv_transpose2d(colours.below, fir, stride=2, padding=1, groups=3)
    if following is not None:
        wide = (wide * per_channel(following)).to(raw.dtype, memory_format=NHWC)
    return (None if following is None else wide), rgb.contiguous()


def end_same_by_kernel(
    raw: Tensor,
    feature: Tensor,
    scale: Tensor,
    epilogue: EpilogueParams,
    following: Tensor | None,
    colours: ToRGBParams,
) -> tuple[Tensor | None, Tensor]:
    """`end_same` by Triton."""
    batch, channels, height, width = raw.shape
    raw, feature = raw.contiguous(memory_format=NHWC), feature.contiguous(memory_format=NHWC)
    out = None if following is None else empty_nhwc(raw, 2 * channels, height, width)
    rgb = torch.empty(batch, 3, height, width, dtype=torch.float32, device=raw.device)
    deep = min(power_of_two(channels), 512 if height * width <= _FEW else 256)
    pixels = _TILE // deep
    weight = colours.weight
    # What is absent is not read; a pointer must stand there all the same.
    given = (rgb if out is None else out, scale if following is None else following)
    below = rgb if colours.below is None else colours.below.contiguous()
    with torch.cuda.device_of(raw):
        _end_same[(-(-height * width // pixels), batch)](
            raw, feature, *given, scale, epilogue.bias, epilogue.feature_bias, epilogue.skip_bias, epilogue.skip_scale,
            rgb, weight, colours.bias, below, height, width, channels,
            given[1].stride(0), scale.stride(0), weight.stride(0), weight.stride(1),
            out is not None, colours.below is not None, pixels, deep, LEAK, **OPTIONS,
        )  # fmt: skip
    return out, rgb


@jit
def _end_same(
    raw, feature, out, following, scale, bias, feature_bias, skip_bias, skip_scale,
    rgb, weight, colour_bias, below, height, width, channels: tl.constexpr,
    following_stride, scale_stride, weight_stride, colour_stride,
    WRITTEN: tl.constexpr, ADDED: tl.constexpr, P: tl.constexpr, C: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    face = tl.program_id(1).to(tl.int64)
    pixel = tl.program_id(0) * P + tl.arange(0, P)
    area = height * width
    red = tl.zeros((P, C), tl.float32)
    green = tl.zeros((P, C), tl.float32)
    blue = tl.zeros((P, C), tl.float32)
    for start in range(0, channels, C):
        channel = start + tl.arange(0, C)
        there = channel < channels
        inside = (pixel < area)[:, None] & there[None, :]
        place = face * area * channels + pixel[:, None].to(tl.int64) * channels + channel[None, :]
        factor = tl.load(scale + face * scale_stride + channel, mask=there, other=0)[None, :]
        own = tl.load(bias + channel, mask=there, other=0)[None, :]
        seen = tl.load(feature_bias + channel, mask=there, other=0)[None, :]
        skip = tl.load(skip_bias + channel, mask=there, other=0)[None, :]
        value = tl.load(raw + place, mask=inside, other=0).to(tl.float32)
        brought = tl.load(feature + place, mask=inside, other=0)
        value = leaky(value * factor + own, LEAK)
        other = skip_half(brought, seen, skip, skip_scale, LEAK)
        weights = weight + face * weight_stride + channel
        red += _coloured(value, other, weights, channels, there)
        green += _coloured(value, other, weights + colour_stride, channels, there)
        blue += _coloured(value, other, weights + 2 * colour_stride, channels, there)
        if WRITTEN:
            scales = following + face * following_stride + channel
            value *= tl.load(scales, mask=there, other=0)[None, :]
            other *= tl.load(scales + channels, mask=there, other=0)[None, :]
            place = (face * area + pixel[:, None]) * (2 * channels) + channel[None, :]
            tl.store(out + place, value.to(out.dtype.element_ty), mask=inside)
            tl.store(out + channels + place, other.to(out.dtype.element_ty), mask=inside)
    _write(rgb, face * 3, red, colour_bias, below, pixel, height, width, ADDED)
    _write(rgb, face * 3 + 1, green, colour_bias + 1, below, pixel, height, width, ADDED)
    _write(rgb, face * 3 + 2, blue, colour_bias + 2, below, pixel, height, width, ADDED)


@jit
def _coloured(value, other, weights, channels: tl.constexpr, there):
    first = tl.load(weights, mask=there, other=0)[None, :]
    second = tl.load(weights + channels, mask=there, other=0)[None, :]
    return value * first + other * second


@jit
def _write(rgb, plane, products, bias, below, pixel, height, width, ADDED: tl.constexpr):
    """One colour's plane: the channels' sum, the bias, the doubled smaller plane."""
    area = height * width
    total = tl.sum(products, axis=1) + tl.load(bias)
    if ADDED:
        total += _doubled(below + plane * (area // 4), pixel, height, width)
    tl.store(rgb + plane * area + pixel, total, mask=pixel < area)


@jit
def _doubled(plane, pixel, height, width):
    """The (H/2,W/2) plane at the larger one's pixels: 3/4 of the nearer sample and 1/4 of the next, both ways."""
    y, x = pixel // width, pixel % width
    there = y < height
    near_y, near_x = y // 2, x // 2
    next_y, next_x = near_y + y % 2 * 2 - 1, near_x + x % 2 * 2 - 1
    has_y = there & (next_y >= 0) & (next_y < height // 2)
    has_x = there & (next_x >= 0) & (next_x < width // 2)
    line, other = plane + near_y * (width // 2), plane + next_y * (width // 2)
    corner = tl.load(line + near_x, mask=there, other=0) * 9
    corner += tl.load(line + next_x, mask=has_x, other=0) * 3
    corner += tl.load(other + near_x, mask=has_y, other=0) * 3
    corner += tl.load(other + next_x, mask=has_y & has_x, other=0)
    return corner / 16
