"""Device, precision and streams: the only place that touches torch's global switches."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

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


def is_out_of_memory(error: Exception) -> bool:
    """Whether a smaller batch may help; CUDA's libraries say so in their own words."""
    words = ("ALLOC_FAILED", "out of memory", "unable to find an engine", "DefaultCPUAllocator")
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


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


# Copies of this many helper threads overlap; more would only share the same engines.
_MOST_STREAMS = 8
_streams: dict[tuple[torch.device, int], torch.cuda.Stream] = {}
_thread = threading.local()
_numbers = itertools.count()


@contextlib.contextmanager
def own_stream(device: torch.device, serving: torch.cuda.Stream | None) -> Iterator[None]:
    """Runs the block on a stream of the calling thread's own, so that its copies overlap the worker's work.

    serving: the worker's stream, on which what is uploaded here will be used; None on a CPU.
    """
    if serving is None:
        yield
        return
    if not hasattr(_thread, "number"):
        _thread.number = next(_numbers) % _MOST_STREAMS
    key = (device, _thread.number)
    stream = _streams.get(key) or _streams.setdefault(key, torch.cuda.Stream(device))
    _thread.serving = serving
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        _thread.serving = None


def worker_stream(device: torch.device) -> torch.cuda.Stream | None:
    """The calling thread's current stream, for `own_stream`; None on a CPU."""
    return torch.cuda.current_stream(device) if device.type == "cuda" else None


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """A host tensor on `device`, complete for the stream that the calling thread serves."""
    if device.type != "cuda":
        return tensor
    moved = tensor.pin_memory().to(device, non_blocking=True)
    serving = getattr(_thread, "serving", None)
    if serving is not None:
        torch.cuda.current_stream(device).synchronize()
        moved.record_stream(serving)
    return moved


def download(tensor: Tensor) -> Tensor:
    """The tensor in host memory, complete. Waits only for the current stream."""
    lend(tensor)
    return tensor.cpu()


def lend(tensor: Tensor) -> None:
    """Keeps another stream's tensor in memory until the current stream's work so far is done with it."""
    if tensor.device.type == "cuda":
        tensor.record_stream(torch.cuda.current_stream(tensor.device))


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


def single_threaded() -> None:
    """This process computes on one core: for work that several processes share."""
    torch.set_num_threads(1)


def side_by_side(number: int, threads: int) -> ThreadPoolExecutor:
    """`number` threads of which each computes on `threads` cores; those of the caller stay as they are.

    Raises RuntimeError where the system has no more threads to give.
    """
    # torch counts threads for each thread of the program, and for threads to come as whoever set it last.
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(number, "gpen-fast-core", initializer=_compute_on, initargs=(threads,))
    all_there = threading.Barrier(number)
    try:
        for waiting in [pool.submit(all_there.wait) for _ in range(number)]:
            waiting.result()
    finally:
        # Those that came wait for the others, at the program's end too, unless they are told.
        all_there.abort()
        torch.set_num_threads(before)
    return pool


def _compute_on(threads: int) -> None:
    # A thread's first question makes it follow whoever set the number last: it comes before the answer that counts.
    torch.get_num_threads()
    torch.set_num_threads(threads)


def seeded(seed: int) -> torch.Generator:
    """Random numbers of one's own; the process's stay untouched."""
    return torch.Generator().manual_seed(seed)
