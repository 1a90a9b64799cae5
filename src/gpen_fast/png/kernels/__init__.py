"""The encoder's heavy steps as Triton kernels: one file a step, the signature that of the torch operations."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from torch import Tensor


def usable(tensor: Tensor) -> bool:
    """Whether kernels can take this tensor: it is on a GPU and Triton is installed."""
    return tensor.is_cuda and _has_triton()


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None
