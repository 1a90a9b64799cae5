"""Device memory: its peak, its cache, and how running out of it is recognised."""

from __future__ import annotations

import torch

# How torch, cuBLAS, cuDNN and the CPU's allocator say that memory is short.
_OUT_OF_MEMORY = ("ALLOC_FAILED", "out of memory", "unable to find an engine", "DefaultCPUAllocator")


def is_out_of_memory(error: Exception) -> bool:
    """Whether a smaller batch may help. Not every library under torch raises OutOfMemoryError, so texts count too."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in _OUT_OF_MEMORY)
    )


def release_cached_memory() -> None:
    """Gives the memory that torch caches on GPUs, and no tensor uses, back to the driver; nothing on a CPU."""
    torch.cuda.empty_cache()


def peak_bytes(device: torch.device) -> int | None:
    """The most device memory that tensors held at once since `reset_peak`, bytes; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def allocated_bytes(device: torch.device) -> int | None:
    """The device memory that tensors hold at the moment, bytes; None on a CPU."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else None


def reset_peak(device: torch.device) -> None:
    """Makes `peak_bytes` count from now on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
