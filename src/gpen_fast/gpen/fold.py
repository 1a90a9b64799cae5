"""Which folded form suits a device."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gpen_fast.gpen import onednn
from gpen_fast.gpen.folded import FoldedGenerator
from gpen_fast.gpen.network import FullGenerator
from gpen_fast.gpen.one_face import OneFaceGenerator
from gpen_fast.malloc import keep_freed_memory


def fold(network: FullGenerator, dtype: torch.dtype, device: torch.device) -> Callable[[Tensor], Tensor]:
    """(B,3,S,S) float32 RGB in [-1,1] to the same: in oneDNN's fused convolutions where they are, else in PyTorch's."""
    if device.type != "cpu":
        return FoldedGenerator(network, dtype, device)
    keep_freed_memory()
    if onednn.available(dtype):
        return OneFaceGenerator(network, dtype)
    return FoldedGenerator(network, dtype, device)
