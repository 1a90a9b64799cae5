"""Matrices of 16-bit rows, each with a scale of its own: the weights that two kernels read.

The kernels compute in float32; 16 bits halve the bytes that they read, which is what bounds them. A row is divided by
its largest value, so that no row is too large or too small for the storage.

- Linear layers are stored as int16: all 16 bits resolve the row's range, and the error is a fifth of float16's.
- Sums of squares are stored as float16. None is negative, so no terms cancel, and a weighted sum is as accurate as
  its terms, whatever the styles. Terms keep float16's precision down to 6e-5 of the row's largest (its smallest
  normal number), and are lost below 3e-8 (half its smallest number).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS, next_power_of_two

ROWS_PER_PROGRAM = 4
"""Rows that one program multiplies: few, so that there are programs enough for the whole chip."""
ROWS_OPTIONS = OPTIONS | {"num_warps": 8}
# A row's largest value is taken to be at least this, so that rows of zeros divide by something.
_LEAST = 1e-30


@dataclass(frozen=True, eq=False)
class PackedRows:
    """An (out,in) matrix whose rows have a scale each."""

    values: Tensor
    """(out,in) float32, float16 or int16."""
    scale: Tensor
    """(out,) float32, by which each row is multiplied."""

    def unpacked(self) -> Tensor:
        """(out,in) float32."""
        return self.values.float() * self.scale[:, None]


def pack_rows(weight: Tensor, storage: torch.dtype) -> PackedRows:
    """Packs an (out,in) float32 matrix.

    Args:
        weight: The matrix.
        storage: float16 or int16; float32 keeps the matrix as it is, with scales of 1.
    """
    if storage == torch.float32:
        return PackedRows(weight, weight.new_ones(len(weight)))
    scale = weight.abs().amax(1).clamp_min(_LEAST)
    if storage == torch.int16:
        scale = scale / torch.iinfo(storage).max
        return PackedRows((weight / scale[:, None]).round().to(storage), scale)
    return PackedRows((weight / scale[:, None]).to(storage), scale)


def storage_dtypes(dtype: torch.dtype) -> tuple[torch.dtype, torch.dtype]:
    """The storage of linear layers and of sums of squares, in a network whose activations have `dtype`."""
    return (dtype, dtype) if dtype == torch.float32 else (torch.int16, torch.float16)


def tile_sizes(faces: int, width: int) -> tuple[int, int]:
    """How many vectors a program holds, and how many values of each at a time.

    One vector alone is read in long pieces. Of several, a program takes eight, and those after them find the rows
    in the cache.

    Args:
        faces: Vectors in all.
        width: Values of each.
    """
    return (1, min(next_power_of_two(width), 2048)) if faces == 1 else (8, min(next_power_of_two(width), 512))
