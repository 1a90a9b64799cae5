"""Which folded form runs where: each device's own, where it is seen to give the right result, else plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from gpen_fast.device import onednn
from gpen_fast.device.malloc import keep_freed_memory
from gpen_fast.device.memory import is_out_of_memory, release_cached_memory
from gpen_fast.device.precision import arithmetic
from gpen_fast.device.threads import seeded
from gpen_fast.errors import first_line
from gpen_fast.gpen.cpu.generator import CpuGenerator
from gpen_fast.gpen.cpu.parallel import ParallelFaces
from gpen_fast.gpen.cuda.generator import CudaGenerator, has_published_fir
from gpen_fast.gpen.cuda.kernels.kernel_set import REFERENCE, TRITON, KernelSet, kernel_failure
from gpen_fast.gpen.folded.generator import DTYPES, FoldedGenerator, arithmetic_for
from gpen_fast.gpen.reference import FullGenerator

# Most relative L2 between the whole network by kernels and by torch: roundings add up over its layers.
_MOST_ERROR = {"fp32": 1e-4, "tf32": 1e-2, "fp16": 1e-2, "bf16": 5e-2}


@dataclass(frozen=True)
class FoldedForm:
    """A folded network, and how it is best called."""

    run: Callable[[Tensor], Tensor]
    """(B,3,S,S) float32 RGB in [-1,1] to the same."""
    note: str = ""
    """Why it is not the fastest form of this device; empty where it is."""
    batch: int = 8
    """Faces of a call that use the device well."""


def select_form(network: FullGenerator, precision: str, device: torch.device) -> FoldedForm:
    """Builds the fastest folded form that gives the right result on this device.

    Args:
        network: The reference network.
        precision: fp32, tf32, bf16 or fp16.
        device: Where the form runs.
    """
    if device.type == "cuda":
        return cuda_form_if_valid(network, precision, device)
    parallel = ParallelFaces(
        partial(form_without_kernels, network, DTYPES[precision], device), network.config.size
    )
    return FoldedForm(parallel, batch=parallel.batch)


def form_without_kernels(
    network: FullGenerator, dtype: torch.dtype, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """Builds a folded form of library operations only, without Triton kernels of this project.

    Args:
        network: The reference network.
        dtype: Of convolutions and activations.
        device: Where the form runs.

    Returns:
        (B,3,S,S) float32 RGB in [-1,1] to the same. On a CPU where oneDNN's fused convolutions work, by those; else
        by plain PyTorch.
    """
    if device.type == "cpu":
        keep_freed_memory()
        if onednn.supports(dtype):
            return CpuGenerator(network, dtype)
    return FoldedGenerator(network, dtype, device)


def cuda_form_if_valid(
    network: FullGenerator, precision: str, device: torch.device, kernels: KernelSet = TRITON
) -> FoldedForm:
    """Builds the form with kernels between its convolutions, or plain PyTorch and a note that says why.

    Args:
        network: The reference network.
        precision: fp32, tf32, bf16 or fp16.
        device: Where the form runs.
        kernels: What runs between the convolutions.
    """
    dtype = DTYPES[precision]
    failure = kernel_failure(device, dtype, kernels)
    if not failure and not has_published_fir(network):
        failure = "the checkpoint's FIR kernels are not the published ones"
    if not failure:
        generator = CudaGenerator(network, dtype, device, kernels)
        failure = _disagreement(generator, precision, device)
        if not failure:
            return FoldedForm(generator)
    note = (
        f"its kernels are not used on {device} ({failure}): torch operations give the same and take longer."
    )
    return FoldedForm(FoldedGenerator(network, dtype, device), note)


def _disagreement(generator: CudaGenerator, precision: str, device: torch.device) -> str:
    """What is wrong with the whole network by kernels on one face of noise; empty where nothing is.

    `kernel_failure` has tried each kernel at one small size; here each meets the network's own sizes.
    """
    size = generator.config.size
    face = (torch.rand(1, 3, size, size, generator=seeded(6)) * 2 - 1).to(device)
    try:
        with arithmetic(arithmetic_for(precision), device):
            got, wanted = generator(face), generator.run(face, REFERENCE)
            error = float((got - wanted).norm() / wanted.norm())
    except RuntimeError as failed:
        if not is_out_of_memory(failed):
            return first_line(failed)
        # The torch references take far more memory than the kernels: no room for them says nothing about these.
        error = 0.0
    if device.type == "cuda":
        release_cached_memory()
    return (
        "" if error <= _MOST_ERROR[precision] else f"the network by kernels is {error:.1e} off, relative L2"
    )
