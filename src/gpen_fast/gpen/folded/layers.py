"""The layers of the folded generator: data that `folded.py` makes once, and what a face or a batch costs.

Tensors are (B,C,H,W) in memory format channels_last (NHWC) throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.layers import LEAK

EPSILON = 1e-8
NHWC = torch.channels_last
# The encoder's features of up to so many pixels a side.
_SMALL = 16


def is_decisive(side: int) -> bool:
    """Whether an encoder's convolution gives features so near to the latent that its errors become everybody's.

    There is little to compute there, so that more exact arithmetic costs next to nothing.
    """
    return side <= _SMALL


def encoder_dtype(side: int, dtype: torch.dtype) -> torch.dtype:
    """What an encoder's convolution to `side` pixels is computed in, in a network of `dtype`."""
    return torch.float32 if dtype == torch.bfloat16 and is_decisive(side) else dtype


@dataclass(frozen=True, eq=False)
class Dense:
    """A linear layer with its activation: (B,in) to (B,out), float32."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return F.leaky_relu_(F.linear(x, self.weight, self.bias), LEAK)


@dataclass(frozen=True, eq=False)
class Encoder:
    """One size of the encoder. fir: (C,1,4,4) blur before a convolution of stride 2, None at full size."""

    weight: Tensor
    bias: Tensor
    fir: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """In the weight's dtype."""
        x = x.to(self.weight.dtype)
        if self.fir is None:
            return F.leaky_relu_(F.conv2d(x, self.weight, self.bias), LEAK)
        blurred = F.conv2d(x, self.fir, padding=2, groups=x.shape[1])
        return F.leaky_relu_(F.conv2d(blurred, self.weight, self.bias, stride=2), LEAK)


@dataclass(frozen=True, eq=False)
class Styled:
    """A styled convolution and the encoder feature beside its result: (B,in,H,W) to (B,2*out,H or 2H,...).

    weight: (out,in,3,3) float32, half: the same in the activations' dtype. squares: (out,in) sums over the kernel
    of squared weights. bias, skip_bias: (1,out,1,1). fir: blur after an up-convolution, else None.
    """

    weight: Tensor
    half: Tensor
    squares: Tensor
    bias: Tensor
    skip_scale: Tensor
    skip_bias: Tensor
    fir: Tensor | None

    def __call__(self, x: Tensor, style: Style, feature: Tensor) -> Tensor:
        out = self._weight_scaled(x, style) if self._weight_is_smaller(x) else self._input_scaled(x, style)
        return F.leaky_relu_(torch.cat([out, self._skip(feature)], dim=1), LEAK)

    def _weight_is_smaller(self, x: Tensor) -> bool:
        """For one face the scales can go into the weight, where that touches less memory than the activations."""
        return len(x) == 1 and x.numel() >= self.weight.numel()

    def _weight_scaled(self, x: Tensor, style: Style) -> Tensor:
        scale = style.demodulation(self.squares)[0, :, None] * style.scaled[0]
        weight = (self.weight * scale[:, :, None, None]).to(x.dtype, memory_format=NHWC)
        return self._convolved(x, weight).add_(self.bias)

    def _input_scaled(self, x: Tensor, style: Style) -> Tensor:
        """Scales stay float32 until they have met an activation: rounded, they would be wrong for a whole channel."""
        out = self._convolved((x * per_channel(style.scaled)).to(x.dtype), self.half)
        return (out * per_channel(style.demodulation(self.squares)) + self.bias).to(x.dtype)

    def _convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.fir is None:
            return F.conv2d(x, weight, padding=1)
        up = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return F.conv2d(up, self.fir, padding=1, groups=up.shape[1])

    def _skip(self, feature: Tensor) -> Tensor:
        return torch.addcmul(self.skip_bias, feature, self.skip_scale)


@dataclass(frozen=True, eq=False)
class CpuToRGB:
    """This size's (B,3,H,W) contribution, float32, added to the upsampled sum of the smaller ones.

    weight: (3,in,1,1) float32, divided by its largest value `gain`: what styles make up for may be tiny.
    """

    weight: Tensor
    gain: float
    bias: Tensor
    fir: Tensor | None

    def __call__(self, x: Tensor, style: Style, rgb: Tensor | None) -> Tensor:
        if len(x) == 1:
            weight = (self.weight * (self.gain * style.whole[0])[:, None, None]).to(x.dtype)
            here = F.conv2d(x, weight, self.bias.to(x.dtype)).float()
        else:
            inputs = (x * per_channel(style.scaled)).to(x.dtype)
            scaled = F.conv2d(inputs, self.weight.to(x.dtype)).float()
            here = scaled * (self.gain * style.largest[:, :, None, None]) + self.bias[:, None, None]
        if rgb is None or self.fir is None:
            return here
        return here.add_(F.conv_transpose2d(rgb, self.fir, stride=2, padding=1, groups=3))


@dataclass(frozen=True, eq=False)
class Style:
    """(B,in) float32 styles of one layer. scaled: divided by the largest absolute value, (B,1) `largest`."""

    whole: Tensor
    scaled: Tensor
    largest: Tensor

    def demodulation(self, squares: Tensor) -> Tensor:
        """(B,out): what brings a convolution of inputs scaled by `scaled` to unit variance."""
        return torch.rsqrt(self.scaled.square() @ squares.t() + EPSILON / self.largest.square())


def per_channel(values: Tensor) -> Tensor:
    """(B,C) as a factor of (B,C,H,W)."""
    return values[:, :, None, None]
