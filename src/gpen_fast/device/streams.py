"""CUDA streams: copies of helper threads overlap the worker's computation.

Tensors cross from one stream to another here. Two rules keep that safe:
- Work that reads a tensor waits for the work that wrote it (`hand_over`, `wait_event`).
- The caching allocator gives a freed block to the stream that allocated it, at once. A tensor that another stream
  still reads must be recorded on that stream (`hand_over`, `record_stream`), or its memory is overwritten meanwhile.

On a CPU all functions are no-ops or plain copies.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator

import torch
from torch import Tensor

# Helper threads share this many streams: a GPU has a few copy engines, and more streams would only queue for them.
_MOST_STREAMS = 8
_streams: dict[tuple[torch.device, int], torch.cuda.Stream] = {}
_thread = threading.local()
_numbers = itertools.count()


def synchronize(device: torch.device) -> None:
    """Waits for all work on the current stream; returns at once on a CPU."""
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()


@contextlib.contextmanager
def own_stream(device: torch.device, serving: torch.cuda.Stream | None) -> Iterator[None]:
    """Runs the block on a stream that belongs to the calling thread, so that its copies overlap other work.

    Args:
        device: Where the stream is.
        serving: The worker's stream, which will use the tensors that `to_device` gives inside the block. None, as
            on a CPU, runs the block on the current stream.
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


def current_device_is(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Makes a GPU the calling thread's current one inside the block: kernels that name no device run there."""
    return torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext()


def worker_stream(device: torch.device) -> torch.cuda.Stream | None:
    """The calling thread's current stream, to be given to `own_stream`; None on a CPU."""
    return torch.cuda.current_stream(device) if device.type == "cuda" else None


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copies a host tensor to `device`, complete for the stream that the calling thread serves (`hand_over`).

    Returns:
        The copy on a GPU; on a CPU the tensor itself.
    """
    if device.type != "cuda":
        return tensor
    return hand_over(tensor.pin_memory().to(device, non_blocking=True))


def hand_over(tensor: Tensor) -> Tensor:
    """Makes a tensor of the current stream safe for the stream that the calling thread serves.

    Inside `own_stream` the calling thread waits for the current stream, so that the served stream may read the tensor
    without an event, and the tensor's memory is kept until that stream is done with it. The served stream never
    waits. Elsewhere, and for a CPU's tensor, nothing happens.

    Returns:
        The tensor itself.
    """
    serving = getattr(_thread, "serving", None)
    if serving is not None and tensor.device.type == "cuda":
        torch.cuda.current_stream(tensor.device).synchronize()
        tensor.record_stream(serving)
    return tensor


def to_host(tensor: Tensor) -> Tensor:
    """Copies a tensor to host memory. Waits for the current stream only; on a CPU gives the tensor itself."""
    record_stream(tensor)
    return tensor.cpu()


def record_stream(tensor: Tensor) -> None:
    """Keeps the memory of another stream's tensor until the current stream's work so far is done with it."""
    if tensor.device.type == "cuda":
        tensor.record_stream(torch.cuda.current_stream(tensor.device))


def record_event(device: torch.device) -> torch.cuda.Event | None:
    """Marks the current stream's present end, for another thread's `wait_event`; None on a CPU."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event


def wait_event(event: torch.cuda.Event | None, device: torch.device) -> None:
    """Makes the current stream wait for a `record_event` of another stream. The calling thread does not wait."""
    if event is not None:
        torch.cuda.current_stream(device).wait_event(event)


class AsyncHostCopy:
    """A copy of a small result to the host that is queued now and waited for later.

    `wait` waits for the copy's own event: work that was queued after it goes on meanwhile. The waiting thread sleeps:
    by default CUDA lets it spin, on a core that readers and writers need.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._done = None
        self._host = tensor
        if tensor.device.type == "cuda":
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            self._done = torch.cuda.Event(blocking=True)
            self._done.record(torch.cuda.current_stream(tensor.device))

    def wait(self) -> Tensor:
        """Waits for the copy and gives the result in host memory."""
        if self._done is not None:
            self._done.synchronize()
        return self._host
