"""Constant tables on the device that uses them, copied there once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from gpen_fast.device.streams import synchronize


@cache
def cached_tables(
    make: Callable[..., tuple[Tensor, ...]], device: torch.device, *arguments: int
) -> tuple[Tensor, ...]:
    """The tables that a function makes, on `device`, ready for every stream.

    Args:
        make: Makes the tables on the CPU; called once for each device and arguments.
        device: Where the tables go.
        arguments: What `make` is called with.
    """
    made = tuple(table.to(device) for table in make(*arguments))
    # Waits for the copies once: the next caller may be on another stream, which no event orders behind this one.
    synchronize(device)
    return made
