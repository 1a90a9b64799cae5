"""Precisions: what a device supports, and the switches that select one for a block of work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from gpen_fast.device.select import describe
from gpen_fast.errors import DeviceError, SettingsError

# Where float32 work may silently be done in TF32 or bf16; cuDNN's default is TF32. cuDNN itself comes before
# its operations: where it governs them, they need not be touched, and their default cannot be set again.
_backends: Any = torch.backends
_CUDA_SWITCHES = (_backends.cuda.matmul, _backends.cudnn, _backends.cudnn.conv)
_CPU_SWITCHES = (_backends.mkldnn.conv, _backends.mkldnn.matmul)
# The switches are the process's: one block at a time may have them.
_switches = threading.RLock()
_AMPERE = (8, 0)
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """What the arithmetic runs in: `name` is fp32, tf32, bf16 or fp16; `note` says why it is not as asked."""

    name: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name


def pick_precision(asked: str, device: torch.device) -> Precision:
    """`auto`, `half`, or one of fp32, tf32, bf16, fp16, as what `device` can do.

    `half` (the --fp16 flag) is fp16 on CUDA; a CPU has no fp16 convolutions, so there it is bf16 where the
    processor has it natively, else fp32. A precision named outright is never replaced: DeviceError.
    """
    on_cuda = device.type == "cuda"
    if asked == "auto":
        return Precision("fp16" if on_cuda else _cpu_half())
    if asked == "half":
        return Precision("fp16") if on_cuda else Precision(_cpu_half(), "fp16 needs CUDA")
    if asked in {"fp16", "tf32"} and not on_cuda:
        raise DeviceError(
            f"precision {asked} needs CUDA, and this runs on {device}. Try --precision {_cpu_half()}."
        )
    if asked not in {"fp32", "tf32", "bf16", "fp16"}:
        raise SettingsError(f"precision {asked!r}: accepted are auto, half, fp32, tf32, bf16, fp16.")
    if asked in {"bf16", "tf32"} and on_cuda and torch.cuda.get_device_capability(device) < _AMPERE:
        raise DeviceError(
            f"precision {asked} needs an Ampere GPU or later, not {describe(device)}. Try --fp16."
        )
    return Precision(asked)


def _cpu_half() -> str:
    return "bf16" if cpu_has_bf16() else "fp32"


@cache
def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 natively; elsewhere bf16 is emulated and slower than fp32."""
    for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        if getattr(torch.cpu, probe, lambda: False)():
            return True
    cpuinfo = Path("/proc/cpuinfo")  # aarch64 lists bf16 among its features
    return cpuinfo.exists() and " bf16 " in cpuinfo.read_text(errors="replace").replace("\n", " ")


@contextlib.contextmanager
def arithmetic(precision: str, device: torch.device) -> Iterator[None]:
    """Inference in one precision: no gradients, TF32 on only for `tf32`, the caller's switches put back.

    One thread at a time: others wait for the block's end, which on CUDA means until its work is queued.
    """
    autocast = torch.autocast(device.type, dtype=_AUTOCAST.get(precision), enabled=precision in _AUTOCAST)
    wanted = [(switch, "tf32" if precision == "tf32" else "ieee") for switch in _CUDA_SWITCHES]
    # oneDNN's TF32 exists on few processors and is never what a CPU user asked for.
    wanted += [(switch, "ieee") for switch in _CPU_SWITCHES]
    with _switches, contextlib.ExitStack() as restored:
        for switch, mode in wanted:
            if switch.fp32_precision != mode:
                restored.callback(_put_back, switch, switch.fp32_precision)
                switch.fp32_precision = mode
        with torch.no_grad(), autocast:
            yield


def _put_back(switch: Any, mode: str) -> None:
    """The caller's mode; inherited ("none") where that comes to the same, as it was before anybody set it."""
    switch.fp32_precision = "none"
    if switch.fp32_precision != mode:
        switch.fp32_precision = mode
