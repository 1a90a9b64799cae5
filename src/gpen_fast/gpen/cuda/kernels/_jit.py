"""Triton where it is installed, and the device functions that several kernels share.

Without Triton, kernels can be imported and not run.
"""

from __future__ import annotations

from typing import Any

__all__ = ["OPTIONS", "fir_row", "jit", "leaky", "next_power_of_two", "skip_half", "tl"]

_Kernel = Any  # Triton's language has no types

try:
    import triton.language as tl
    from triton import jit
except ImportError:
    tl = None

    def jit(function: _Kernel) -> _Kernel:
        """Leaves the function as it is: without Triton it is never called."""
        return function


# A product and a sum in one instruction is Triton's default, which it has announced to change.
OPTIONS = {"num_warps": 4, "enable_fp_fusion": True}


def next_power_of_two(number: int) -> int:
    """The smallest power of two that is not below `number`: Triton's tiles have such sides."""
    return 1 << (number - 1).bit_length()


@jit
def leaky(value, LEAK: tl.constexpr):
    """Leaky ReLU."""
    return tl.where(value > 0, value, value * LEAK)


@jit
def fir_row(
    source, row, first, channel, bias, height, width,
    channels: tl.constexpr, ACTIVATED: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    """[1,3,3,1] along one row of an (H,W,C) picture: (X,C) float32 sums, zero outside the picture.

    Output x sums the columns first[x] .. first[x]+3. With ACTIVATED, each value first gets its bias and leaky ReLU;
    padding stays zero, as in the reference, which pads after the activation.
    """
    line = source + row.to(tl.int64) * width * channels
    # Adding first * 0 makes the row a vector: Triton's interpreter cannot combine a vector mask with one number.
    row_inside = (row + first * 0 >= 0) & (row + first * 0 < height)
    one = _tap(line, row_inside, first, channel, bias, width, channels, ACTIVATED, LEAK)
    two = _tap(line, row_inside, first + 1, channel, bias, width, channels, ACTIVATED, LEAK)
    three = _tap(line, row_inside, first + 2, channel, bias, width, channels, ACTIVATED, LEAK)
    four = _tap(line, row_inside, first + 3, channel, bias, width, channels, ACTIVATED, LEAK)
    return one + four + 3 * (two + three)


@jit
def _tap(
    line, row_inside, x, channel, bias, width,
    channels: tl.constexpr, ACTIVATED: tl.constexpr, LEAK: tl.constexpr,
):  # fmt: skip
    """(X,C) float32: the row's values at columns x."""
    inside = (row_inside & (x >= 0) & (x < width))[:, None] & (channel < channels)[None, :]
    value = tl.load(line + x[:, None] * channels + channel[None, :], mask=inside, other=0).to(tl.float32)
    if ACTIVATED:
        value = tl.where(inside, leaky(value + bias[None, :], LEAK), 0.0)
    return value


@jit
def skip_half(feature, feature_bias, skip_bias, skip_scale, LEAK: tl.constexpr):
    """The second half of a styled convolution's output, float32, from the output of an encoder's convolution.

    leaky(skip_scale * leaky(feature + feature_bias) + skip_bias)
    """
    activated = leaky(feature.to(tl.float32) + feature_bias, LEAK)
    return leaky(skip_scale * activated + skip_bias, LEAK)
