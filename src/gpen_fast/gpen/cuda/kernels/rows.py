"""Matrices whose rows are kept in 16 bits beside a scale of their own: the weights that two kernels read, and how.

What reads them computes in float32. A row is divided by its largest value, so that none is too large or too small.
Linear layers are kept in whole numbers (int16): at the same size they err by a fifth of what float16 does, since all
their 16 bits go to a row's range. Sums of squares are kept in float16: none is negative, so their weighted sum is as
right as its terms, whatever the styles. Terms keep float16's precision down to 6e-5 of a row's largest, and are lost
below 3e-8.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, power_of_two

# Rows that a program multiplies: so few that there are programs enough for the whole chip.
ROWS = 4
ROWS_OPTIONS = OPTIONS | {"num_warps": 8}
_LEAST = 1e-30


@dataclass(frozen=True, eq=False)
class Rows:
    """values: (out,in) float32, float16 or int16. scale: (out,) float32, which each row is to be multiplied by."""

    values: Tensor
    scale: Tensor

    def whole(self) -> Tensor:
        """(out,in) float32."""
        return self.values.float() * self.scale[:, None]


def packed(weight: Tensor, storage: torch.dtype) -> Rows:
    """(out,in) float32 kept in float32 (as it is), float16 or int16."""
    if storage == torch.float32:
        return Rows(weight, weight.new_ones(len(weight)))
    scale = weight.abs().amax(1).clamp_min(_LEAST)
    if storage == torch.int16:
        scale = scale / torch.iinfo(storage).max
        return Rows((weight / scale[:, None]).round().to(storage), scale)
    return Rows((weight / scale[:, None]).to(storage), scale)


def storages(dtype: torch.dtype) -> tuple[torch.dtype, torch.dtype]:
    """What linear layers and sums of squares are kept in, in a network whose activations are of `dtype`."""
    return (dtype, dtype) if dtype == torch.float32 else (torch.int16, torch.float16)


def at_once(faces: int, width: int) -> tuple[int, int]:
    """How many vectors a program holds, and how many values of each, where there are so many vectors of `width`: one
    alone, or eight at a time, for whose like after them the rows are in the cache."""
    return (1, min(power_of_two(width), 2048)) if faces == 1 else (8, min(power_of_two(width), 512))
