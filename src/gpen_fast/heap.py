"""How the C library keeps memory that was freed."""

from __future__ import annotations

from functools import cache

import torch

# The largest block that glibc learns from (its DEFAULT_MMAP_THRESHOLD_MAX), less its own header.
_LEARNT_FROM = (32 << 20) - 4096


@cache
def keep_freed() -> None:
    """Has up to 64 MiB of freed memory kept for the next maps of a network, once in a process.

    glibc hands freed memory back at once until it has seen a large block come and go (mallopt(3), "dynamic mmap
    threshold"); each call of a network then takes it anew, page by page, which is a quarter of a small network's
    time. Nothing of the block is touched, so it costs no memory; elsewhere it does nothing.
    """
    torch.empty(_LEARNT_FROM, dtype=torch.uint8)
