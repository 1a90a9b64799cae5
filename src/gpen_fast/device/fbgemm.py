"""FBGEMM's linear layer through PyTorch: weights in float16, inputs, sums and outputs in float32.

A product with one row reads each weight once and is bound by memory: half the bytes take half the time.
torch.ops.quantized serves PyTorch's own dynamic quantisation and is no public interface. `is_available` tries it
once; where it says no, the caller uses float32.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Operators of torch.ops have no types.
_Operators = Any
_ops: _Operators = torch.ops.quantized
# Relative L2 of rounding to float16's 11 bits is at most 2**-11 = 4.9e-4; more means values outside its range.
_ROUNDING = 5e-4
# Relative L2 between two float32 products that add in another order.
_CLOSE = 1e-5


class HalfLinear:
    """A linear layer with its weight in float16: (B,in) to (B,out), float32.

    Args:
        weight: (out,in) float32, for which `fits_float16` holds.
        bias: (out,) float32.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._packed = _ops.linear_prepack_fp16(weight, bias)
        self._run = _ops.linear_dynamic_fp16.default

    def __call__(self, x: Tensor) -> Tensor:
        """(B,in) to (B,out), float32."""
        out: Tensor = self._run(x, self._packed)
        return out


def fits_float16(weight: Tensor) -> bool:
    """Whether float16 keeps every row of the (out,in) weight to 11 bits: none too large, none too small."""
    lost = weight - weight.half().float()
    return bool((lost.norm(dim=1) <= _ROUNDING * weight.norm(dim=1)).all())


@cache
def is_available() -> bool:
    """Whether `HalfLinear` works in this build of PyTorch on this processor; a small product is tried once."""
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
