"""Tables on the device that uses them, copied there once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from gpen_fast.device.streams import synchronize


@cache
def on_device(
    make: Callable[..., tuple[Tensor, ...]], device: torch.device, *figures: int
) -> tuple[Tensor, ...]:
    """What `make(*figures)` gives, on `device`, ready for every stream."""
    made = tuple(table.to(device) for table in make(*figures))
    synchronize(device)
    return made
