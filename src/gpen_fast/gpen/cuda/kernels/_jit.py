"""Triton where it is installed; where it is not, kernels can be imported and not run."""

from __future__ import annotations

from typing import Any

__all__ = ["OPTIONS", "across", "jit", "leaky", "power_of_two", "skip_half", "tl"]

try:
    import triton.language as tl
    from triton import jit
except ImportError:
    tl = None

    def jit(function: Any) -> Any:
        """Leaves the function as it is: nobody will call it."""
        return function


# A product and a sum in one instruction: Triton's default, which it has announced to change.
OPTIONS = {"num_warps": 4, "enable_fp_fusion": True}


def power_of_two(number: int) -> int:
    """The next from `number` up."""
    return 1 << (number - 1).bit_length()


@jit
def leaky(value, LEAK: tl.constexpr):
    """Leaky ReLU."""
    return tl.where(value > 0, value, value * LEAK)


@jit
def across(
    source,
    row,
    first,
    channel,
    bias,
    height,
    width,
    channels: tl.constexpr,
    ACTIVATED: tl.constexpr,
    LEAK: tl.constexpr,
):
    """(X,C) float32: [1,3,3,1] over the columns `first`.. of one row of an (H,W,C) picture, zero outside it.

    ACTIVATED: each value is first given its bias and the leaky ReLU.
    """
    line = source + row.to(tl.int64) * width * channels
    # The row is a lane's business: Triton's interpreter has no mask of lanes and one number.
    row_there = (row + first * 0 >= 0) & (row + first * 0 < height)
    one = _tap(line, row_there, first, channel, bias, width, channels, ACTIVATED, LEAK)
    two = _tap(line, row_there, first + 1, channel, bias, width, channels, ACTIVATED, LEAK)
    three = _tap(line, row_there, first + 2, channel, bias, width, channels, ACTIVATED, LEAK)
    four = _tap(line, row_there, first + 3, channel, bias, width, channels, ACTIVATED, LEAK)
    return one + four + 3 * (two + three)


@jit
def _tap(
    line,
    row_there,
    x,
    channel,
    bias,
    width,
    channels: tl.constexpr,
    ACTIVATED: tl.constexpr,
    LEAK: tl.constexpr,
):
    there = (row_there & (x >= 0) & (x < width))[:, None] & (channel < channels)[None, :]
    value = tl.load(line + x[:, None] * channels + channel[None, :], mask=there, other=0).to(tl.float32)
    if ACTIVATED:
        value = tl.where(there, leaky(value + bias[None, :], LEAK), 0.0)
    return value


@jit
def skip_half(feature, feature_bias, skip_bias, skip_scale, LEAK: tl.constexpr):
    """The wide tensor's second half, float32, from what an encoder's convolution gave."""
    seen = leaky(feature.to(tl.float32) + feature_bias, LEAK)
    return leaky(skip_scale * seen + skip_bias, LEAK)
