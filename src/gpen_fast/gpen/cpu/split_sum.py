"""Convolutions and linear layers of one face whose sums are added up in parts, in float32.

oneDNN adds the terms of a sum one after the other, so the error grows with their number n. Summed in p parts that are
added at the end, it grows with n / p + p ("Accuracy and Stability of Numerical Algorithms", Higham, 2002, section
4.2).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.layers import LEAK

# Fewest input channels of a part, and most parts.
_FEWEST, _MOST = 128, 16


class SplitSumConv:
    """A convolution with bias and leaky ReLU: (1,in,H,W) to (1,out,H',W') float32, NHWC.

    The parts are groups of one grouped convolution with p * out channels, which are then added.

    Args:
        weight: (out,in,k,k) float32.
        side: Side of the input, pixels.
        most: Parts at most.
        stride: Step of the kernel.
    """

    def __init__(self, weight: Tensor, side: int, most: int = _MOST, *, stride: int = 1) -> None:
        out, into, *kernel = weight.shape
        self._parts = 1
        while 2 * self._parts <= most and into % (2 * self._parts) == 0 and into >= 2 * self._parts * _FEWEST:
            self._parts *= 2
        # (out,in,k,k) -> (p*out,in/p,k,k): part by part.
        grouped = (
            weight.unflatten(1, (self._parts, -1)).transpose(0, 1).reshape(-1, into // self._parts, *kernel)
        )
        self._conv, self._out = Conv(grouped, side, groups=self._parts, stride=stride), out

    def activated(self, x: Tensor, bias: Tensor) -> Tensor:
        """leaky_relu(conv(x) + bias).

        Args:
            x: (1,in,H,W) float32, NHWC.
            bias: (out,) float32.
        """
        if self._parts == 1:
            return self._conv.activated(x, bias)
        # (1,in,H,W) -> (1,p*out,H',W') -> (1,H',W',p,out), a view, since memory is NHWC.
        parts = self._conv(x).permute(0, 2, 3, 1).unflatten(3, (self._parts, self._out))
        # -> (1,H',W',out) -> (1,out,H',W').
        return F.leaky_relu_(parts.sum(3).add_(bias), LEAK).permute(0, 3, 1, 2)
