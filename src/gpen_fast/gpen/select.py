"""Which folded form runs where: what each device has for it, where that is seen to work, else PyTorch's operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from gpen_fast.device import onednn
from gpen_fast.device.malloc import keep_freed_memory
from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.precision import arithmetic
from gpen_fast.device.threads import seeded
from gpen_fast.errors import first_line
from gpen_fast.gpen.cpu.generator import CpuGenerator
from gpen_fast.gpen.cpu.parallel import ParallelFaces
from gpen_fast.gpen.cuda.generator import CudaGenerator, has_published_fir
from gpen_fast.gpen.cuda.kernels.steps import BY_KERNEL, BY_TORCH, Steps, trouble
from gpen_fast.gpen.folded.generator import DTYPES, FoldedGenerator, switches
from gpen_fast.gpen.reference import FullGenerator

# Relative L2 between the network by kernels and by torch: roundings add up over its layers.
_AGREE = {"fp32": 1e-4, "tf32": 1e-2, "fp16": 1e-2, "bf16": 5e-2}


@dataclass(frozen=True)
class Folding:
    """A folded network.

    run: (B,3,S,S) float32 to the same. note: why it is not the fastest form, or empty. batch: faces that suit a call.
    """

    run: Callable[[Tensor], Tensor]
    note: str = ""
    batch: int = 8


def fold(network: FullGenerator, precision: str, device: torch.device) -> Folding:
    """The fastest form of a network that is right on this device. precision: fp32, tf32, bf16 or fp16."""
    if device.type == "cuda":
        return fused_if_right(network, precision, device)
    on_cores = ParallelFaces(partial(in_torch, network, DTYPES[precision], device), network.config.size)
    return Folding(on_cores, batch=on_cores.batch)


def in_torch(network: FullGenerator, dtype: torch.dtype, device: torch.device) -> Callable[[Tensor], Tensor]:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, without kernels of our own: on a CPU in oneDNN's fused convolutions,
    where this build of PyTorch and this processor have them."""
    if device.type == "cpu":
        keep_freed_memory()
        if onednn.available(dtype):
            return CpuGenerator(network, dtype)
    return FoldedGenerator(network, dtype, device)


def fused_if_right(
    network: FullGenerator, precision: str, device: torch.device, steps: Steps = BY_KERNEL
) -> Folding:
    """The network with `steps` between its convolutions, or without them and a note why."""
    dtype = DTYPES[precision]
    why = trouble(device, dtype, steps)
    if not why and not has_published_fir(network):
        why = "the checkpoint has a FIR of its own"
    if not why:
        fused = CudaGenerator(network, dtype, device, steps)
        why = _disagreement(fused, precision, device)
        if not why:
            return Folding(fused)
    note = f"its kernels are not used on {device} ({why}): torch operations give the same and take longer."
    return Folding(FoldedGenerator(network, dtype, device), note)


def _disagreement(fused: CudaGenerator, precision: str, device: torch.device) -> str:
    """What is wrong with the whole network by kernels, tried on one face of noise; empty where nothing is."""
    size = fused.config.size
    face = (torch.rand(1, 3, size, size, generator=seeded(6)) * 2 - 1).to(device)
    try:
        with arithmetic(switches(precision), device):
            found, wanted = fused(face), fused.run(face, BY_TORCH)
            apart = float((found - wanted).norm() / wanted.norm())
    except RuntimeError as error:
        # Without kernels the network takes far more memory: no room to compare says nothing about it.
        if not is_out_of_memory(error):
            return first_line(error)
        apart = 0.0
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return "" if apart <= _AGREE[precision] else f"the network by kernels is {apart:.1e} off, relative L2"
