"""Device, precision and streams: the only place that touches torch's global switches."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gpen_fast.errors import DeviceError, SettingsError

# Where float32 work may silently be done in TF32 or bf16; cuDNN's default is TF32.
_FP32_SWITCHES = (
    (torch.backends.cuda, "matmul"),
    (torch.backends.cudnn, "conv"),
    (torch.backends.cudnn, "rnn"),
    (torch.backends.mkldnn, "conv"),
    (torch.backends.mkldnn, "matmul"),
)
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """What the arithmetic runs in: `name` is fp32, tf32, bf16 or fp16; `note` says why it is not as asked."""

    name: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name


def pick_device(asked: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:N` as a device that is there. Raises DeviceError, never falls back."""
    if asked == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    try:
        device = torch.device(asked)
    except RuntimeError:
        device = None
    if device is None or device.type not in {"cpu", "cuda"}:
        raise SettingsError(f"device {asked!r}: accepted are auto, cpu, cuda and cuda:N.")
    if device.type == "cpu":
        return torch.device("cpu")
    return _cuda(asked, device.index or 0)


def _cuda(asked: str, index: int) -> torch.device:
    if not torch.cuda.is_available():
        built = torch.version.cuda
        why = (
            f"torch is built for CUDA {built} but sees no GPU or driver"
            if built
            else "this torch has no CUDA"
        )
        raise DeviceError(f"device {asked!r} is not there: {why}. Try --device cpu.")
    if index >= torch.cuda.device_count():
        raise DeviceError(
            f"device {asked!r} is not there: {torch.cuda.device_count()} GPU(s) found, numbered from cuda:0."
        )
    return torch.device("cuda", index)


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
    """Inference in one precision: no gradients, TF32 on only for `tf32`, the caller's switches put back."""
    wanted = "tf32" if precision == "tf32" else "ieee"
    before = [_fp32_mode(module, name) for module, name in _FP32_SWITCHES]
    autocast = torch.autocast(device.type, dtype=_AUTOCAST.get(precision), enabled=precision in _AUTOCAST)
    try:
        for module, name in _FP32_SWITCHES:
            # oneDNN's TF32 exists on few processors and is never what a CPU user asked for.
            _set_fp32_mode(module, name, "ieee" if module is torch.backends.mkldnn else wanted)
        with torch.inference_mode(), autocast:
            yield
    finally:
        for (module, name), mode in zip(_FP32_SWITCHES, before, strict=True):
            _set_fp32_mode(module, name, mode)


def _fp32_mode(module: Any, name: str) -> str:
    return str(getattr(module, name).fp32_precision)


def _set_fp32_mode(module: Any, name: str, mode: str) -> None:
    getattr(module, name).fp32_precision = mode


def describe(device: torch.device) -> str:
    """The device in words: the GPU's name, or the CPU with its threads."""
    if device.type == "cuda":
        return f"{device} {torch.cuda.get_device_name(device)}"
    return f"cpu, {torch.get_num_threads()} threads"


def peak_bytes(device: torch.device) -> int | None:
    """Most device memory that torch held at once, bytes; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def reset_peak(device: torch.device) -> None:
    """Lets `peak_bytes` count from now."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def synchronize(device: torch.device) -> None:
    """Waits for all work on the current stream; nothing to wait for on a CPU."""
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()


_threads = threading.local()


@contextlib.contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """Runs the block on a stream of the calling thread's own, so that its copies overlap the device worker's."""
    if device.type != "cuda":
        yield
        return
    streams: dict[torch.device, torch.cuda.Stream] = _threads.__dict__.setdefault("streams", {})
    if device not in streams:
        streams[device] = torch.cuda.Stream(device)
    with torch.cuda.stream(streams[device]):
        yield


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on `device`, ready for use on any stream."""
    if device.type != "cuda" or tensor.device == device:
        return tensor.to(device)
    moved = tensor.pin_memory().to(device, non_blocking=True)
    _hand_over(moved, device)
    return moved


def _hand_over(tensor: Tensor, device: torch.device) -> None:
    """Makes a tensor of this thread's own stream safe on the default stream, where the worker runs."""
    current, default = torch.cuda.current_stream(device), torch.cuda.default_stream(device)
    if current != default:
        current.synchronize()
        tensor.record_stream(default)


def download(tensor: Tensor) -> Tensor:
    """The tensor in host memory, complete. Waits only for the current stream."""
    if tensor.device.type == "cuda":
        tensor.record_stream(torch.cuda.current_stream(tensor.device))
    return tensor.cpu()


def mark(device: torch.device) -> torch.cuda.Event | None:
    """A point in the current stream that another thread can wait for; None on a CPU."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event


def wait_for(point: torch.cuda.Event | None, device: torch.device) -> None:
    """Lets the current stream wait for a `mark` of another."""
    if point is not None:
        torch.cuda.current_stream(device).wait_event(point)


class Readback:
    """A small result on its way to the host: started now, waited for later, without stopping newer work."""

    def __init__(self, tensor: Tensor) -> None:
        self._done = None
        self._host = tensor
        if tensor.device.type == "cuda":
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            self._done = mark(tensor.device)

    def wait(self) -> Tensor:
        """The result in host memory."""
        if self._done is not None:
            self._done.synchronize()
        return self._host


class StreamEvent:
    """A timing event on `device`'s current stream, also where that is not the thread's current device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._event = torch.cuda.Event(enable_timing=True)

    def record(self) -> None:
        """Marks the stream's present end."""
        self._event.record(torch.cuda.current_stream(self._device))

    def query(self) -> bool:
        """Whether the stream has passed the mark."""
        return self._event.query()

    def synchronize(self) -> None:
        """Waits until it has."""
        self._event.synchronize()

    def elapsed_time(self, end: StreamEvent) -> float:
        """Milliseconds from this mark to `end`."""
        return self._event.elapsed_time(end._event)


def event_maker(device: torch.device) -> Callable[[], StreamEvent] | None:
    """How to make timing events for `device`; None where there is nothing to time but the host."""
    return (lambda: StreamEvent(device)) if device.type == "cuda" else None
