"""FBGEMM's linear layer through PyTorch: weights in float16, values and sums in float32.

One row reads each weight once, so half the bytes is half the time. torch.ops.quantized is what PyTorch's own dynamic
quantisation calls: `available` tries it once, and whoever uses this falls back to float32 where it says no.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_ops: Any = torch.ops.quantized
# Relative L2 of float16's rounding: a row with a larger one has values outside its range.
_ROUNDING = 5e-4
# Relative L2 of a try: two sums in another order.
_CLOSE = 1e-5


class HalfLinear:
    """A linear layer. weight: (out,in) float32, for which `fits` holds. bias: (out,) float32."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._packed = _ops.linear_prepack_fp16(weight, bias)
        self._run = _ops.linear_dynamic_fp16.default

    def __call__(self, x: Tensor) -> Tensor:
        """(B,in) to (B,out), float32."""
        made: Tensor = self._run(x, self._packed)
        return made


def fits(weight: Tensor) -> bool:
    """Whether float16 keeps every row of the (out,in) weight to its 11 bits: none too large, none too small."""
    lost = weight - weight.half().float()
    return bool((lost.norm(dim=1) <= _ROUNDING * weight.norm(dim=1)).all())


@cache
def available() -> bool:
    """Whether this build of PyTorch and this processor do what `HalfLinear` promises, found out by a small try."""
    x, weight, bias = (
        torch.linspace(-1, 2, 64)[None],
        torch.linspace(-2, 1, 32 * 64).cos().view(32, 64),
        torch.ones(32),
    )
    try:
        got = HalfLinear(weight, bias)(x)
    except (AttributeError, RuntimeError, TypeError):
        return False
    wanted = F.linear(x, weight.half().float(), bias)
    return got.dtype == torch.float32 and bool((got - wanted).norm() <= _CLOSE * wanted.norm())
