"""Convolutions and linear layers of one face whose sums are added up in parts, in float32.

oneDNN adds a sum's terms one after the other, so that its error grows with their number; parts that are added up at
the end grow it by less ("Accuracy and Stability of Numerical Algorithms", Higham, 2002, section 4.2).
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.layers import LEAK

# The fewest input channels of a part, and the most parts.
_FEWEST, _MOST = 128, 16


class SplitSumConv:
    """A convolution with bias and leaky ReLU, (1,in,H,W) to (1,out,H',W') float32, NHWC.

    weight: (out,in,k,k) float32. side: pixels of the input's side. most: parts at most. geometry: as of `Conv`.
    """

    def __init__(self, weight: Tensor, side: int, most: int = _MOST, **geometry: Any) -> None:
        out, into, *kernel = weight.shape
        self._parts = 1
        while 2 * self._parts <= most and into % (2 * self._parts) == 0 and into >= 2 * self._parts * _FEWEST:
            self._parts *= 2
        parted = (
            weight.unflatten(1, (self._parts, -1)).transpose(0, 1).reshape(-1, into // self._parts, *kernel)
        )
        self._conv, self._out = Conv(parted, side, groups=self._parts, **geometry), out

    def activated(self, x: Tensor, bias: Tensor) -> Tensor:
        """bias: (out,) float32."""
        if self._parts == 1:
            return self._conv.activated(x, bias)
        parts = self._conv(x).permute(0, 2, 3, 1).unflatten(3, (self._parts, self._out))
        return F.leaky_relu_(parts.sum(3).add_(bias), LEAK).permute(0, 3, 1, 2)
