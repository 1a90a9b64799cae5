"""Precisions: what a device supports, and the switches that select one for a block of work.

| name | convolutions and matrix products | where |
| --- | --- | --- |
| fp32 | float32, TF32 off | everywhere |
| tf32 | float32 tensors, products rounded to TF32's 10 bits of mantissa | NVIDIA Ampere and later |
| bf16 | bfloat16 | Ampere and later; CPUs with AVX512-BF16, AMX or Arm's bf16 |
| fp16 | float16 | CUDA |
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, cast

import torch

from gpen_fast.device.select import describe
from gpen_fast.errors import DeviceError, SettingsError

ArithmeticName = Literal["fp32", "tf32", "bf16", "fp16"]


class _Switch(Protocol):
    """One of torch's settings: "ieee", "tf32", or "none" for what a more general setting says."""

    fp32_precision: str


# Where torch may silently compute float32 work in TF32 or bf16; for cuDNN, TF32 is even the default. cuDNN as a
# whole comes before its operations: once it says "ieee", its operations inherit that and need no value of their own.
# A value that was set there could not be unset again.
_CUDA_SWITCHES = cast(
    "tuple[_Switch, ...]",
    (torch.backends.cuda.matmul, torch.backends.cudnn, torch.backends.cudnn.conv),  # type: ignore[attr-defined]
)
_CPU_SWITCHES = cast(
    "tuple[_Switch, ...]",
    (torch.backends.mkldnn.conv, torch.backends.mkldnn.matmul),  # type: ignore[attr-defined]
)
# Compute capability from which a GPU has TF32 and bf16.
_AMPERE = (8, 0)
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """What the arithmetic runs in."""

    name: ArithmeticName
    """fp32, tf32, bf16 or fp16."""
    note: str = ""
    """Why it is not what the user asked for; empty where it is."""

    def __str__(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name


def pick_precision(asked: str, device: torch.device) -> Precision:
    """Turns a precision's name into one that `device` supports.

    `auto` takes the fastest: fp16 on CUDA, bf16 on a CPU that has it natively, else fp32. `half` (the --fp16 flag)
    is fp16 on CUDA; a CPU has no fp16 convolutions, so there it is what `auto` takes, with a note. A precision
    that is named outright is never replaced.

    Args:
        asked: auto, half, fp32, tf32, bf16 or fp16.
        device: Where it runs.

    Raises:
        SettingsError: `asked` is no such name.
        DeviceError: The device lacks this precision.
    """
    on_cuda = device.type == "cuda"
    if asked == "auto":
        return Precision("fp16" if on_cuda else _fastest_on_cpu())
    if asked == "half":
        return Precision("fp16") if on_cuda else Precision(_fastest_on_cpu(), "fp16 needs CUDA")
    if asked in {"fp16", "tf32"} and not on_cuda:
        raise DeviceError(
            f"precision {asked} needs CUDA, and this runs on {device}. Try --precision {_fastest_on_cpu()}."
        )
    if asked not in {"fp32", "tf32", "bf16", "fp16"}:
        raise SettingsError(f"precision {asked!r}: accepted are auto, half, fp32, tf32, bf16, fp16.")
    if asked in {"bf16", "tf32"} and on_cuda and torch.cuda.get_device_capability(device) < _AMPERE:
        raise DeviceError(
            f"precision {asked} needs an Ampere GPU or later, not {describe(device)}. Try --fp16."
        )
    return Precision(cast("ArithmeticName", asked))


def _fastest_on_cpu() -> ArithmeticName:
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
    """Runs a block of inference in one precision.

    Inside the block no gradients are kept, TF32 is on only for `tf32`, and bf16 and fp16 run under torch.autocast.
    Afterwards the caller's switches are as they were. Threads whose blocks agree on TF32 are inside together; others
    wait until these have left, which on CUDA is when their work is queued, not when it is done.

    Args:
        precision: fp32, tf32, bf16 or fp16.
        device: Whose autocast is used.
    """
    autocast = torch.autocast(device.type, dtype=_AUTOCAST.get(precision), enabled=precision in _AUTOCAST)
    with _switches.held(tf32=precision == "tf32"), torch.no_grad(), autocast:
        yield


class _SharedSwitches:
    """The process's switches, which several threads may hold at once as long as they want the same of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: list[int] = []
        self._tf32 = False
        # What the switches were before the first holder changed them.
        self._before: dict[int, tuple[_Switch, str]] = {}

    @contextlib.contextmanager
    def held(self, *, tf32: bool) -> Iterator[None]:
        """Turns TF32 on or off inside the block; the last thread that leaves restores what was before.

        A block inside another of the same thread may want something else: it waits until no other thread holds the
        switches. Two threads that both do so at once would wait for each other; nothing here does.
        """
        thread = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._is_mine(thread) or self._tf32 == tf32)
            outer = self._tf32 if thread in self._holders else None
            self._holders.append(thread)
            self._set(tf32)
        try:
            yield
        finally:
            with self._changed:
                self._holders.remove(thread)
                if not self._holders:
                    self._restore_all()
                elif outer is not None and outer != tf32:
                    self._changed.wait_for(lambda: self._is_mine(thread))
                    self._set(outer)
                self._changed.notify_all()

    def _is_mine(self, thread: int) -> bool:
        return all(holder == thread for holder in self._holders)

    def _set(self, tf32: bool) -> None:
        self._tf32 = tf32
        cuda_mode = "tf32" if tf32 else "ieee"
        # oneDNN has TF32 on a few processors only, and no precision of ours asks for it.
        wanted = [
            *((each, cuda_mode) for each in _CUDA_SWITCHES),
            *((each, "ieee") for each in _CPU_SWITCHES),
        ]
        for switch, mode in wanted:
            if switch.fp32_precision != mode:
                self._before.setdefault(id(switch), (switch, switch.fp32_precision))
                switch.fp32_precision = mode

    def _restore_all(self) -> None:
        for switch, mode in reversed(self._before.values()):
            _restore(switch, mode)
        self._before.clear()


def _restore(switch: _Switch, mode: str) -> None:
    """Restores the caller's mode: "none" (inherited) where that gives it, so that an unset switch stays unset."""
    switch.fp32_precision = "none"
    if switch.fp32_precision != mode:
        switch.fp32_precision = mode


_switches = _SharedSwitches()
