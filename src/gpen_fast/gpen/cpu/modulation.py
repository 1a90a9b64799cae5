"""Everything that the latent decides in one face's generator, by few operations on long vectors.

A layer whose weight is shared between faces does not multiply its output by the demodulation d > 0. Leaky ReLU is
positively homogeneous, so the factor can be deferred to the layers that read the output:

    leaky_relu(d * y + b)  =  d * leaky_relu(y + b / d)

The layer adds b / d instead of b, and the styles of the layers that read it are multiplied by d.

All values here are float32 until they meet an activation or a weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device import fbgemm
from gpen_fast.device.fbgemm import HalfLinear
from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.cpu.split_sum import SplitSumConv
from gpen_fast.gpen.folded.layers import EPSILON
from gpen_fast.gpen.layers import LEAK, EqualLinear
from gpen_fast.gpen.reference import ToRGB


class CpuLinear:
    """A linear layer for one row: (in,) to (out,), float32.

    By FBGEMM or oneDNN, which read a weight for one row far faster than torch's own product does.

    Args:
        weight: (out,in) float32.
        bias: (out,) float32.
        dtype: Of the network's activations. With bfloat16 the weight is kept in float16, which has three bits of
            mantissa more than they, where FBGEMM works and float16 holds it.
        activate: Whether a leaky ReLU follows.
    """

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype, *, activate: bool = False) -> None:
        self._activate, self._bias = activate, bias
        in_float16 = dtype == torch.bfloat16 and fbgemm.is_available() and fbgemm.fits_float16(weight)
        self._half, self._conv = None, None
        if in_float16:
            self._half = HalfLinear(weight, bias)
        else:
            pointwise = weight[:, :, None, None]
            self._conv = SplitSumConv(pointwise, 1).activated if activate else Conv(pointwise, 1)

    def __call__(self, x: Tensor) -> Tensor:
        """(in,) to (out,), float32."""
        if self._half is not None:
            out = self._half(x[None]).flatten()
            return F.leaky_relu_(out, LEAK) if self._activate else out
        assert self._conv is not None
        return self._conv(x.view(1, -1, 1, 1), self._bias).flatten()


@dataclass(frozen=True, eq=False)
class StyledLayer:
    """What the modulation needs to know of one styled convolution."""

    affine: EqualLinear
    """From the latent to the (in,) style."""
    squares: Tensor
    """(out,in) float32 sums over the kernel of squared weights."""
    bias: Tensor
    """(out,) float32."""
    defers_scale: bool
    """Whether the demodulation goes into the layers that read the output."""


@dataclass(frozen=True, eq=False)
class LayerModulation:
    """One styled convolution's scales for one face."""

    style: Tensor
    """(in,) float32, factors of the input, with the deferred scales of the layer before."""
    input_scale: Tensor
    """(1,in,1,1), the same in the dtype of activations."""
    demodulation: Tensor
    """(out,) float32."""
    bias: Tensor
    """(out,) float32, divided by the demodulation where that is deferred."""


class CpuModulation:
    """The (D,) latent to every styled convolution's scales and every ToRGB's (3,in) float32 weight.

    Args:
        layers: The styled convolutions in order; number k+1 reads the output of number k.
        rgbs: For each ToRGB the number of the convolution that it reads, and the layer.
        dtype: Of activations.
    """

    def __init__(
        self, layers: Sequence[StyledLayer], rgbs: Sequence[tuple[int, ToRGB]], dtype: torch.dtype
    ) -> None:
        self._dtype, self._squares = dtype, [layer.squares for layer in layers]
        self._biases = torch.cat([layer.bias for layer in layers])
        self._outs = [len(layer.bias) for layer in layers]
        weights = [(rgb.conv.weight[0, :, :, 0, 0] * rgb.conv.scale).detach() for _, rgb in rgbs]
        self._rgb_weights = torch.cat(weights, dim=1)
        self._rgb_widths = [weight.shape[1] for weight in weights]
        self._widths = [layer.squares.shape[1] for layer in layers]
        affine = [*(layer.affine for layer in layers), *(rgb.conv.modulation for _, rgb in rgbs)]
        self._styles = CpuLinear(
            torch.cat([(each.weight * each.scale).detach() for each in affine]),
            torch.cat([(each.bias * each.lr_mul).detach() for each in affine]),
            dtype,
        )
        defers = [layer.defers_scale for layer in layers]
        # The convolution that each style's layer reads; the first one's input is the learnt constant, number -1.
        read = [
            *enumerate(self._widths, start=-1),
            *zip((k for k, _ in rgbs), self._rgb_widths, strict=True),
        ]
        self._read_index = torch.cat([self._scale_index(defers, k, width) for k, width in read])
        self._own_index = torch.cat([self._scale_index(defers, k, out) for k, out in enumerate(self._outs)])

    def _scale_index(self, defers: Sequence[bool], k: int, width: int) -> Tensor:
        """Where the deferred scales of convolution k stand in the vector of all demodulations.

        Returns:
            (width,) int64. Its first values are those of the convolution's own half, if it defers; the skip half
            and all others point to the 1 at the vector's end.
        """
        index = torch.full((width,), sum(self._outs))
        if k >= 0 and defers[k]:
            start, out = [0, *accumulate(self._outs)][k], self._outs[k]
            index[:out] = torch.arange(start, start + out)
        return index

    def __call__(self, latent: Tensor) -> tuple[Iterator[LayerModulation], Iterator[Tensor]]:
        """All scales of one face.

        Args:
            latent: (D,) float32, mapped.

        Returns:
            The styled convolutions' scales and the ToRGBs' weights, each in order.
        """
        # (D,) -> all styles in one vector: the convolutions', then the ToRGBs'.
        styles = self._styles(latent)
        widths = [*self._widths, sum(self._rgb_widths)]
        # d[o] = 1 / sqrt(sum over i of squares[o,i] * s[i]^2 + e), for all layers in one vector; the last value is
        # a 1, for channels without a deferred scale.
        demodulation = torch.ones(sum(self._outs) + 1)
        demodulations = demodulation.split([*self._outs, 1])
        for square, style, out in zip(
            self._squares, styles.square().split(widths), demodulations, strict=False
        ):
            torch.mv(square, style, out=out)
        demodulation.add_(EPSILON).rsqrt_()
        # Deferred scales: into the styles of the layers that read, out of the layer's own bias.
        factors = styles * torch.index_select(demodulation, 0, self._read_index)
        biases = (self._biases / torch.index_select(demodulation, 0, self._own_index)).split(self._outs)
        *conv_factors, rgb = factors.split(widths)
        rounded = factors.to(self._dtype).view(1, -1, 1, 1).split(widths, dim=1)
        weights = (self._rgb_weights * rgb).split(self._rgb_widths, dim=1)
        return map(LayerModulation, conv_factors, rounded, demodulations, biases), iter(weights)
