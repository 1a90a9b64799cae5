"""The encoder's heavy steps as Triton kernels: one file a step, the signature that of the torch operations."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def usable(tensor: Tensor) -> bool:
    """Whether kernels can take this tensor: it is on a GPU, and Triton is installed and works there."""
    return tensor.is_cuda and _works_on(tensor.device)


@cache
def _works_on(device: torch.device) -> bool:
    try:
        from gpen_fast.png.kernels.filter import filter_rows

        filter_rows(torch.zeros(1, 1, 1, dtype=torch.uint8, device=device), 1)
    except Exception:
        # No Triton, no compiler for its launcher, a GPU that it does not know: the torch operations give the same.
        return False
    return True
