"""Device memory: peaks, and how running out of it is recognised."""

from __future__ import annotations

import torch


def is_out_of_memory(error: Exception) -> bool:
    """Whether a smaller batch may help; CUDA's libraries say so in their own words."""
    words = ("ALLOC_FAILED", "out of memory", "unable to find an engine", "DefaultCPUAllocator")
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def peak_bytes(device: torch.device) -> int | None:
    """Most device memory that torch held at once, bytes; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def reset_peak(device: torch.device) -> None:
    """Lets `peak_bytes` count from now."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
