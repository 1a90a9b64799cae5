"""The epilogue of a convolution that keeps its size, with ToRGB in it: one pass writes the next input and the RGB."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, jit, leaky, next_power_of_two, skip_half, tl
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams, empty_nhwc, wide_by_torch
from gpen_fast.gpen.folded.layers import per_channel
from gpen_fast.gpen.layers import LEAK, fir_kernel

# Elements of one half that a program holds: 16 for each of 128 threads, and as many for each colour's sum.
_TILE = 2048
# Pixels below which there are too few programs to give each many channels and few pixels.
_FEW = 1024


@dataclass(frozen=True, eq=False)
class ToRGBParams:
    """ToRGB of one size, float32."""

    weight: Tensor
    """(B,3,2C), with the styles in it; any stride between faces and between colours."""
    bias: Tensor
    """(3,)."""
    smaller_rgb: Tensor | None
    """(B,3,H/2,W/2), the sum of the smaller sizes; None at 4 pixels."""


def same_epilogue(
    raw: Tensor,
    feature: Tensor,
    demodulation: Tensor,
    epilogue: EpilogueParams,
    next_scale: Tensor | None,
    to_rgb: ToRGBParams,
) -> tuple[Tensor | None, Tensor]:
    """From a convolution's output to the next convolution's input and this size's RGB.

        own  = leaky(demodulation * raw + bias)
        skip = leaky(skip_scale * leaky(feature + feature_bias) + skip_bias)
        rgb  = weight @ [own, skip] + bias + FIR(smaller_rgb)
        out  = [own, skip] * next_scale

    The FIR doubles height and width: zeros between the samples, then [1,3,3,1] x [1,3,3,1] with gain 4.
    Source: `FeatureInjection`, `FusedLeakyReLU`, `ToRGB` and `Upsample` of `layers.py` and `reference.py`.

    Args:
        raw: (B,C,H,W), the convolution's output.
        feature: (B,C,H,W), the output of the encoder's convolution.
        demodulation: (B,C) float32, any stride between faces.
        epilogue: Biases and the skip scale.
        next_scale: (B,2C) float32, the next convolution's input scales, any stride between faces; None after the
            last convolution, where `out` is not written.
        to_rgb: Weights of ToRGB, and the RGB of the smaller sizes.

    Returns:
        out: (B,2C,H,W), NHWC, of raw's dtype, or None. The halves are written where they belong and never
            concatenated.
        rgb: (B,3,H,W) float32, contiguous, from float32 values before `next_scale`.
    """
    by = same_epilogue_by_kernel if raw.is_cuda else same_epilogue_by_torch
    return by(raw, feature, demodulation, epilogue, next_scale, to_rgb)


def same_epilogue_by_torch(
    raw: Tensor,
    feature: Tensor,
    demodulation: Tensor,
    epilogue: EpilogueParams,
    next_scale: Tensor | None,
    to_rgb: ToRGBParams,
) -> tuple[Tensor | None, Tensor]:
    """`same_epilogue` in torch operations, on any device."""
    wide = wide_by_torch(raw, feature, demodulation, epilogue)
    # (B,2C,H,W) by (B,3,2C) -> (B,3,H,W).
    rgb = torch.einsum("bchw,bkc->bkhw", wide, to_rgb.weight) + to_rgb.bias[:, None, None]
    if to_rgb.smaller_rgb is not None:
        fir = fir_kernel(gain=4.0).to(raw.device).expand(3, 1, -1, -1)
        rgb = rgb + F.conv_transpose2d(to_rgb.smaller_rgb, fir, stride=2, padding=1, groups=3)
    if next_scale is not None:
        wide = (wide * per_channel(next_scale)).to(raw.dtype, memory_format=NHWC)
    return (None if next_scale is None else wide), rgb.contiguous()


def same_epilogue_by_kernel(
    raw: Tensor,
    feature: Tensor,
    demodulation: Tensor,
    epilogue: EpilogueParams,
    next_scale: Tensor | None,
    to_rgb: ToRGBParams,
) -> tuple[Tensor | None, Tensor]:
    """`same_epilogue` by Triton."""
    batch, channels, height, width = raw.shape
    raw, feature = raw.contiguous(memory_format=NHWC), feature.contiguous(memory_format=NHWC)
    out = None if next_scale is None else empty_nhwc(raw, 2 * channels, height, width)
    rgb = torch.empty(batch, 3, height, width, dtype=torch.float32, device=raw.device)
    # A tile of P pixels by C channels.
    deep = min(next_power_of_two(channels), 512 if height * width <= _FEW else 256)
    pixels = _TILE // deep
    weight = to_rgb.weight
    # The kernel does not read or write what is absent, but each argument must be some tensor.
    target, scales = rgb if out is None else out, demodulation if next_scale is None else next_scale
    smaller = rgb if to_rgb.smaller_rgb is None else to_rgb.smaller_rgb.contiguous()
    with torch.cuda.device_of(raw):
        _same_epilogue[(-(-height * width // pixels), batch)](
            raw, feature, target, scales, demodulation,
            epilogue.bias, epilogue.feature_bias, epilogue.skip_bias, epilogue.skip_scale,
            rgb, weight, to_rgb.bias, smaller, height, width, channels,
            scales.stride(0), demodulation.stride(0), weight.stride(0), weight.stride(1),
            out is not None, to_rgb.smaller_rgb is not None, pixels, deep, LEAK, **OPTIONS,
        )  # fmt: skip
    return out, rgb


@jit
def _same_epilogue(
    raw, feature, out, next_scale, demodulation, bias, feature_bias, skip_bias, skip_scale,
    rgb, weight, rgb_bias, smaller, height, width, channels: tl.constexpr,
    next_scale_stride, demodulation_stride, weight_stride, colour_stride,
    WRITTEN: tl.constexpr, ADDED: tl.constexpr, P: tl.constexpr, C: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    """All channels of P pixels, C at a time. A kernel takes its launch arguments one by one."""
    face = tl.program_id(1).to(tl.int64)
    pixel = tl.program_id(0) * P + tl.arange(0, P)
    area = height * width
    # (P,C) float32 products of each colour; they are summed over the channels once, after the loop.
    red = tl.zeros((P, C), tl.float32)
    green = tl.zeros((P, C), tl.float32)
    blue = tl.zeros((P, C), tl.float32)
    for start in range(0, channels, C):
        channel = start + tl.arange(0, C)
        there = channel < channels
        inside = (pixel < area)[:, None] & there[None, :]
        place = face * area * channels + pixel[:, None].to(tl.int64) * channels + channel[None, :]
        # (1,C) float32 each.
        factor = tl.load(demodulation + face * demodulation_stride + channel, mask=there, other=0)[None, :]
        own_bias = tl.load(bias + channel, mask=there, other=0)[None, :]
        encoder_bias = tl.load(feature_bias + channel, mask=there, other=0)[None, :]
        second_bias = tl.load(skip_bias + channel, mask=there, other=0)[None, :]
        # The convolution's half and the skip half: (P,C) float32.
        own = tl.load(raw + place, mask=inside, other=0).to(tl.float32)
        encoder = tl.load(feature + place, mask=inside, other=0)
        own = leaky(own * factor + own_bias, LEAK)
        second = skip_half(encoder, encoder_bias, second_bias, skip_scale, LEAK)
        weights = weight + face * weight_stride + channel
        red += _rgb_products(own, second, weights, channels, there)
        green += _rgb_products(own, second, weights + colour_stride, channels, there)
        blue += _rgb_products(own, second, weights + 2 * colour_stride, channels, there)
        if WRITTEN:
            # Scaled for the next convolution; both halves of a pixel are 2C adjacent values.
            scales = next_scale + face * next_scale_stride + channel
            own *= tl.load(scales, mask=there, other=0)[None, :]
            second *= tl.load(scales + channels, mask=there, other=0)[None, :]
            place = (face * area + pixel[:, None]) * (2 * channels) + channel[None, :]
            tl.store(out + place, own.to(out.dtype.element_ty), mask=inside)
            tl.store(out + channels + place, second.to(out.dtype.element_ty), mask=inside)
    _store_rgb(rgb, face * 3, red, rgb_bias, smaller, pixel, height, width, ADDED)
    _store_rgb(rgb, face * 3 + 1, green, rgb_bias + 1, smaller, pixel, height, width, ADDED)
    _store_rgb(rgb, face * 3 + 2, blue, rgb_bias + 2, smaller, pixel, height, width, ADDED)


@jit
def _rgb_products(own, second, weights, channels: tl.constexpr, there):
    """(P,C) float32: both halves times one colour's weights."""
    first_weight = tl.load(weights, mask=there, other=0)[None, :]
    second_weight = tl.load(weights + channels, mask=there, other=0)[None, :]
    return own * first_weight + second * second_weight


@jit
def _store_rgb(rgb, plane, products, bias, smaller, pixel, height, width, ADDED: tl.constexpr):
    """One colour's plane: the sum over the channels, (P,C) to (P,), the bias, and the upsampled smaller plane."""
    area = height * width
    total = tl.sum(products, axis=1) + tl.load(bias)
    if ADDED:
        total += _upsampled(smaller + plane * (area // 4), pixel, height, width)
    tl.store(rgb + plane * area + pixel, total, mask=pixel < area)


@jit
def _upsampled(plane, pixel, height, width):
    """(P,) values of an (H/2,W/2) plane at the larger plane's pixels.

    Of the FIR's four taps the zeros between the samples leave two: 3/4 of the nearer sample and 1/4 of the next, in
    both directions.
    """
    y, x = pixel // width, pixel % width
    there = y < height
    near_y, near_x = y // 2, x // 2
    next_y, next_x = near_y + y % 2 * 2 - 1, near_x + x % 2 * 2 - 1
    has_y = there & (next_y >= 0) & (next_y < height // 2)
    has_x = there & (next_x >= 0) & (next_x < width // 2)
    near_line, next_line = plane + near_y * (width // 2), plane + next_y * (width // 2)
    value = tl.load(near_line + near_x, mask=there, other=0) * 9
    value += tl.load(near_line + next_x, mask=has_x, other=0) * 3
    value += tl.load(next_line + near_x, mask=has_y, other=0) * 3
    value += tl.load(next_line + next_x, mask=has_y & has_x, other=0)
    return value / 16
