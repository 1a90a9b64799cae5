"""The layers of the folded generator: weights folded once, then what each layer does with a batch.

Tensors are (B,C,H,W) in memory format channels_last (NHWC) throughout, in the network's dtype unless float32 is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.layers import LEAK

EPSILON = 1e-8
"""What keeps pixel norm and demodulation from dividing by zero; upstream's value."""
NHWC = torch.channels_last
# Side in pixels up to which an encoder feature counts as near the latent.
_NEAR_LATENT = 16


def is_near_latent(side: int) -> bool:
    """Whether an encoder feature of `side` pixels is so near to the latent that its error reaches every pixel.

    These convolutions are small: more exact arithmetic costs next to nothing there.
    """
    return side <= _NEAR_LATENT


def encoder_dtype(side: int, dtype: torch.dtype) -> torch.dtype:
    """The dtype in which the encoder's convolution to `side` pixels is computed, in a network of `dtype`.

    float32 near the latent of a bfloat16 network: 8 bits of mantissa are too few there. float16's 11 are enough.
    """
    return torch.float32 if dtype == torch.bfloat16 and is_near_latent(side) else dtype


@dataclass(frozen=True, eq=False)
class FoldedLinear:
    """A linear layer with its activation: (B,in) to (B,out), float32."""

    weight: Tensor
    """(out,in) float32, with the learning rate's scale and the activation's gain in it."""
    bias: Tensor
    """(out,) float32, with the activation's gain in it."""

    def __call__(self, x: Tensor) -> Tensor:
        """leaky_relu(W x + b). The gain g > 0 is in W and b: g * leaky_relu(y) = leaky_relu(g * y)."""
        return F.leaky_relu_(F.linear(x, self.weight, self.bias), LEAK)


@dataclass(frozen=True, eq=False)
class FoldedEncoderLayer:
    """One size of the encoder: (B,in,H,W) to (B,out,H/2,W/2), at full size to (B,out,H,W)."""

    weight: Tensor
    """(out,in,3,3), at full size (out,3,1,1), with scale and gain in it."""
    bias: Tensor
    """(out,), with the gain in it."""
    fir: Tensor | None
    """(in,1,4,4), the blur before the convolution of stride 2; None at full size."""

    def __call__(self, x: Tensor) -> Tensor:
        """The result has the weight's dtype."""
        x = x.to(self.weight.dtype)
        if self.fir is None:
            return F.leaky_relu_(F.conv2d(x, self.weight, self.bias), LEAK)
        # (B,in,H,W) -> (B,in,H+1,W+1): two zeros on each side, a FIR of four taps.
        blurred = F.conv2d(x, self.fir, padding=2, groups=x.shape[1])
        # (B,in,H+1,W+1) -> (B,out,H/2,W/2), with bias and leaky ReLU.
        return F.leaky_relu_(F.conv2d(blurred, self.weight, self.bias, stride=2), LEAK)


@dataclass(frozen=True, eq=False)
class FoldedStyledConv:
    """A styled convolution and the encoder's feature beside its result: (B,in,H,W) to (B,2*out,H,W) or (B,2*out,2H,2W).

    With style s and demodulation d, both per face, and the shared weight w:

        d[o] * sum over i of (s[i] * w[o,i]) * x[i]  =  d[o] * conv(w, s * x)[o]

    So the scales go either into the input and the output, and the weight is shared by any batch; or into the weight,
    which for one face is one pass over the smaller tensor. No weight per face is ever convolved in groups.
    """

    weight: Tensor
    """(out,in,3,3) float32, with scale and gain in it."""
    weight_in_dtype: Tensor
    """The same in the activations' dtype."""
    squares: Tensor
    """(out,in) float32: sums over the kernel of squared weights, without the gain. Demodulation needs no more."""
    bias: Tensor
    """(1,out,1,1), of the convolution's half."""
    skip_scale: Tensor
    """(1,1,1,1), the learnt factor of the encoder's feature, with the gain in it."""
    skip_bias: Tensor
    """(1,out,1,1), of the skip half."""
    fir: Tensor | None
    """(out,1,4,4), the blur after an up-convolution; None where the size stays."""

    def __call__(self, x: Tensor, style: LayerStyle, feature: Tensor) -> Tensor:
        """The layer's output.

        Args:
            x: (B,in,H,W).
            style: Of this layer.
            feature: (B,out,H,W), with an up-convolution (B,out,2H,2W): the encoder's, of the output's size.
        """
        # (B,in,H,W) -> (B,out,H',W'): the convolution's half, demodulated, with its bias.
        own = self._weight_scaled(x, style) if self._weight_is_smaller(x) else self._input_scaled(x, style)
        # (B,out,H',W') -> (B,out,H',W'): the skip half, skip_scale * feature + skip_bias.
        skip = torch.addcmul(self.skip_bias, feature, self.skip_scale)
        # Two (B,out,H',W') -> (B,2*out,H',W'), activated together.
        return F.leaky_relu_(torch.cat([own, skip], dim=1), LEAK)

    def _weight_is_smaller(self, x: Tensor) -> bool:
        """Whether the scales go into the weight: for one face only, where that touches less memory than scaling x."""
        return len(x) == 1 and x.numel() >= self.weight.numel()

    def _weight_scaled(self, x: Tensor, style: LayerStyle) -> Tensor:
        # (out,in): d[o] * s[i] of the only face, float32.
        scale = style.demodulation(self.squares)[0, :, None] * style.normalised[0]
        weight = (self.weight * scale[:, :, None, None]).to(x.dtype, memory_format=NHWC)
        return self._convolve(x, weight).add_(self.bias)

    def _input_scaled(self, x: Tensor, style: LayerStyle) -> Tensor:
        # Scales stay float32 until they meet an activation: a scale rounded to half precision would put the same
        # error on a whole channel, where errors of single activations average out.
        scaled = (x * per_channel(style.normalised)).to(x.dtype)
        out = self._convolve(scaled, self.weight_in_dtype)
        return (out * per_channel(style.demodulation(self.squares)) + self.bias).to(x.dtype)

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.fir is None:
            return F.conv2d(x, weight, padding=1)
        # (B,in,H,W) -> (B,out,2H+1,2W+1): zeros between the samples, then the convolution.
        up = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        # (B,out,2H+1,2W+1) -> (B,out,2H,2W): one zero on each side, the FIR with gain 4.
        return F.conv2d(up, self.fir, padding=1, groups=up.shape[1])


@dataclass(frozen=True, eq=False)
class FoldedToRGB:
    """This size's (B,3,H,W) contribution, float32, added to the upsampled RGB of the smaller sizes."""

    weight: Tensor
    """(3,in,1,1) float32, divided by `gain`: trained weights that large styles make up for may be tiny."""
    gain: float
    """The weight's largest absolute value."""
    bias: Tensor
    """(3,) float32."""
    fir: Tensor | None
    """(3,1,4,4) float32, the upsampling filter; None at 4 pixels."""

    def __call__(self, x: Tensor, style: LayerStyle, rgb: Tensor | None) -> Tensor:
        """The RGB so far.

        Args:
            x: (B,in,H,W).
            style: Of this layer; ToRGB is not demodulated.
            rgb: (B,3,H/2,W/2) float32, the sum of the smaller sizes; None at 4 pixels.
        """
        if len(x) == 1:
            # One face: the style goes into the weight, (3,in,1,1).
            weight = (self.weight * (self.gain * style.whole[0])[:, None, None]).to(x.dtype)
            own = F.conv2d(x, weight, self.bias.to(x.dtype)).float()
        else:
            # A batch: the normalised style goes into the input, its largest value and the gain into the sum.
            inputs = (x * per_channel(style.normalised)).to(x.dtype)
            scaled = F.conv2d(inputs, self.weight.to(x.dtype)).float()
            own = scaled * (self.gain * style.largest[:, :, None, None]) + self.bias[:, None, None]
        if rgb is None or self.fir is None:
            return own
        # (B,3,H/2,W/2) -> (B,3,H,W), added in float32.
        return own.add_(F.conv_transpose2d(rgb, self.fir, stride=2, padding=1, groups=3))


@dataclass(frozen=True, eq=False)
class LayerStyle:
    """The styles of one layer, (B,in) float32.

    fp16 ends at 65504, and trained styles go into the thousands: s * x may overflow, and its sum of squares does.
    Divided by their largest value m, styles are at most 1, and demodulation takes m out again:

        s / sqrt(sum (s*w)^2 + e)  =  (s/m) / sqrt(sum (s/m * w)^2 + e/m^2)
    """

    whole: Tensor
    """(B,in), as the affine layer gives them."""
    normalised: Tensor
    """(B,in), divided by `largest`."""
    largest: Tensor
    """(B,1), the largest absolute value."""

    def demodulation(self, squares: Tensor) -> Tensor:
        """(B,out) float32: the factor that brings a convolution of inputs scaled by `normalised` to unit variance.

        Args:
            squares: (out,in), sums over the kernel of squared weights.
        """
        return torch.rsqrt(self.normalised.square() @ squares.t() + EPSILON / self.largest.square())


def per_channel(values: Tensor) -> Tensor:
    """(B,C) as (B,C,1,1), a factor of (B,C,H,W)."""
    return values[:, :, None, None]
