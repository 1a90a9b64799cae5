"""What the latent decides in every layer of one face's generator, by few operations on long vectors.

A convolution whose weight is shared between faces leaves its output's scale d > 0 to whoever reads the output:
leaky_relu(d * y + b) = d * leaky_relu(y + b / d). So the readers' styles are multiplied by d, its own bias divided.
All values here are float32 until they meet an activation or a weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device import fbgemm
from gpen_fast.device.fbgemm import HalfLinear
from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.cpu.split_sum import SplitSumConv
from gpen_fast.gpen.folded.layers import EPSILON
from gpen_fast.gpen.layers import LEAK


class Linear:
    """A linear layer, (in,) to (out,) float32. torch reads a weight for one row far slower than oneDNN and FBGEMM.

    dtype: beside bfloat16 activations the weight is kept in float16, three bits finer than they are.
    """

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype, *, activate: bool = False) -> None:
        self._activate, self._bias = activate, bias
        halved = dtype == torch.bfloat16 and fbgemm.available() and fbgemm.fits(weight)
        self._half, self._conv = None, None
        if halved:
            self._half = HalfLinear(weight, bias)
        else:
            pixel = weight[:, :, None, None]
            self._conv = SplitSumConv(pixel, 1).activated if activate else Conv(pixel, 1)

    def __call__(self, x: Tensor) -> Tensor:
        if self._half is not None:
            made = self._half(x[None]).flatten()
            return F.leaky_relu_(made, LEAK) if self._activate else made
        assert self._conv is not None
        return self._conv(x.view(1, -1, 1, 1), self._bias).flatten()


@dataclass(frozen=True, eq=False)
class Modulated:
    """One styled convolution for one face.

    style: (in,) factors of its input, float32. rounded: (1,in,1,1), the same in the dtype of activations.
    demodulation, bias: (out,) float32; the bias is divided where the output waits for its scale.
    """

    style: Tensor
    rounded: Tensor
    demodulation: Tensor
    bias: Tensor


class Modulation:
    """The (D,) latent to every styled convolution's `Modulated` and every ToRGB's (3,C) float32 weight.

    squares: of each convolution, (out,in). biases: of each, (out,). waits: whether its output waits for its scale.
    rgbs: for each ToRGB the number of the convolution it reads and the layer. dtype: of activations.
    """

    def __init__(
        self,
        affine: Sequence[Any],
        squares: Sequence[Tensor],
        biases: Sequence[Tensor],
        waits: Sequence[bool],
        rgbs: Sequence[tuple[int, Any]],
        dtype: torch.dtype,
    ) -> None:
        self._dtype, self._squares, self._biases = dtype, squares, torch.cat(list(biases))
        self._outs = [len(bias) for bias in biases]
        weights = [(rgb.conv.weight[0, :, :, 0, 0] * rgb.conv.scale).detach() for _, rgb in rgbs]
        self._rgb_weights = torch.cat(weights, dim=1)
        self._rgb_widths = [weight.shape[1] for weight in weights]
        self._widths = [square.shape[1] for square in squares]
        every = [*affine, *(rgb.conv.modulation for _, rgb in rgbs)]
        self._styles = Linear(
            torch.cat([(each.weight * each.scale).detach() for each in every]),
            torch.cat([(each.bias * each.lr_mul).detach() for each in every]),
            dtype,
        )
        readers = [
            *enumerate(self._widths, start=-1),
            *zip((n for n, _ in rgbs), self._rgb_widths, strict=True),
        ]
        self._read = torch.cat([self._scales(waits, number, width) for number, width in readers])
        self._own = torch.cat([self._scales(waits, number, out) for number, out in enumerate(self._outs)])

    def _scales(self, waits: Sequence[bool], number: int, width: int) -> Tensor:
        """(width,) where in all demodulations the scale of a convolution's every output stands; the 1 is the last."""
        found = torch.full((width,), sum(self._outs))
        if number >= 0 and waits[number]:
            start, out = [0, *accumulate(self._outs)][number], self._outs[number]
            found[:out] = torch.arange(start, start + out)
        return found

    def __call__(self, latent: Tensor) -> tuple[Iterator[Modulated], Iterator[Tensor]]:
        styles = self._styles(latent)
        widths = [*self._widths, sum(self._rgb_widths)]
        demodulation = torch.ones(sum(self._outs) + 1)
        demodulations = demodulation.split([*self._outs, 1])
        for square, style, out in zip(
            self._squares, styles.square().split(widths), demodulations, strict=False
        ):
            torch.mv(square, style, out=out)
        demodulation.add_(EPSILON).rsqrt_()
        factors = styles * torch.index_select(demodulation, 0, self._read)
        biases = (self._biases / torch.index_select(demodulation, 0, self._own)).split(self._outs)
        *whole, rgb = factors.split(widths)
        rounded = factors.to(self._dtype).view(1, -1, 1, 1).split(widths, dim=1)
        weights = (self._rgb_weights * rgb).split(self._rgb_widths, dim=1)
        return map(Modulated, whole, rounded, demodulations, biases), iter(weights)
