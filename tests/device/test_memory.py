"""What counts as out of memory, and peaks where there is no device memory."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.device import memory

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_out_of_memory(error: Exception, wanted: bool) -> None:
    assert memory.is_out_of_memory(error) is wanted


def test_a_cpu_has_no_peak_and_nothing_to_release() -> None:
    memory.reset_peak(CPU)
    memory.release_cached_memory()
    assert memory.peak_bytes(CPU) is None


@pytest.mark.cuda
def test_the_peak_counts_from_its_reset() -> None:
    device = torch.device("cuda", 0)
    large = torch.empty(64 << 20, dtype=torch.uint8, device=device)
    before = torch.cuda.memory_allocated(device)
    del large
    memory.reset_peak(device)
    small = torch.empty(1 << 20, dtype=torch.uint8, device=device)
    peak = memory.peak_bytes(device)
    assert peak is not None
    assert peak < before
    assert small.numel() <= peak
