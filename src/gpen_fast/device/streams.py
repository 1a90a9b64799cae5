"""CUDA streams: helper threads' copies overlap the worker's work, and every hand-over waits or is recorded."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator

import torch
from torch import Tensor


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


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A host tensor on `device`, complete for the stream that the calling thread serves."""
    if device.type != "cuda":
        return tensor
    return hand_over(tensor.pin_memory().to(device, non_blocking=True))


def hand_over(tensor: Tensor) -> Tensor:
    """A tensor of the current stream, complete for the stream that the calling thread serves, and kept for it."""
    serving = getattr(_thread, "serving", None)
    if serving is not None and tensor.device.type == "cuda":
        torch.cuda.current_stream(tensor.device).synchronize()
        tensor.record_stream(serving)
    return tensor


def to_host(tensor: Tensor) -> Tensor:
    """The tensor in host memory, complete. Waits only for the current stream."""
    record_stream(tensor)
    return tensor.cpu()


def record_stream(tensor: Tensor) -> None:
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


class AsyncHostCopy:
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
