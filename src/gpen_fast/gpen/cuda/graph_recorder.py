"""How a call of the network is captured on a GPU, and what of it is left where that fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from gpen_fast.device.memory import release_cached_memory

if TYPE_CHECKING:
    from torch.cuda import _POOL_HANDLE  # torch has no public name for what graph_pool_handle returns

Run = Callable[[Tensor], Tensor]
# Graphs whose capture failed. Destroying one would free its pool a second time: see `_recover`.
_failed_graphs: list[torch.cuda.CUDAGraph] = []


@dataclass(frozen=True, eq=False)
class CapturedCall:
    """A captured call of the network."""

    replay: Callable[[], None]
    """Queues the call on the current stream, with what its static input holds then."""
    out: Tensor
    """The static result, overwritten by each replay."""


class GraphRecorder(Protocol):
    """What `Graphs` needs of a device."""

    def allocate(self, batch: int, size: int) -> Tensor:
        """An uninitialised (batch,3,size,size) float32 tensor outside the graphs' memory pool."""

    def capture(self, run: Run, faces: Tensor) -> CapturedCall:
        """Captures `run(faces)`; replays read what `faces` holds then."""

    def follow_last_stream(self) -> None:
        """Makes the current stream wait for the stream that was current at the last call."""

    def release(self) -> None:
        """Gives cached memory that nothing uses back to the device."""

    def synchronize(self) -> None:
        """Waits until the device has done all that is queued."""


class CudaGraphRecorder:
    """Captures graphs on a GPU, all on one stream into one pool, so that they share memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: _POOL_HANDLE | None = None
        self._stream: torch.cuda.Stream | None = None
        self._last: torch.cuda.Stream | None = None

    def allocate(self, batch: int, size: int) -> Tensor:
        """See `GraphRecorder`."""
        return torch.empty(batch, 3, size, size, device=self._device)

    def capture(self, run: Run, faces: Tensor) -> CapturedCall:
        """See `GraphRecorder`."""
        graph = torch.cuda.CUDAGraph()
        current = torch.cuda.current_stream(self._device)
        # A failed capture leaves its own stream as the current one: the outer block restores the caller's.
        with torch.cuda.device(self._device), torch.cuda.stream(current):
            if self._pool is None:
                self._pool, self._stream = torch.cuda.graph_pool_handle(), torch.cuda.Stream()
            # Other threads load and save pictures meanwhile. Thread-local capture forbids uncapturable calls to
            # this thread only.
            capture = torch.cuda.graph(graph, self._pool, self._stream, capture_error_mode="thread_local")
            try:
                with capture:
                    out = run(faces)
            except BaseException:  # broad: an interrupt, too, leaves a capture that never ended
                self._recover(graph)
                raise
        return CapturedCall(graph.replay, out)

    def follow_last_stream(self) -> None:
        """See `GraphRecorder`."""
        stream = torch.cuda.current_stream(self._device)
        if self._last is not None and self._last != stream:
            stream.wait_stream(self._last)
        self._last = stream

    def release(self) -> None:
        """See `GraphRecorder`."""
        release_cached_memory()

    def synchronize(self) -> None:
        """See `GraphRecorder`."""
        torch.cuda.synchronize(self._device)

    def _recover(self, graph: torch.cuda.CUDAGraph) -> None:
        """Ends what `CUDAGraph.capture_end` leaves open where it raises, which would outlive the capture.

        1. The allocator still sends this stream's memory to the pool: blocks of other streams are never reused and
           `empty_cache` frees nothing.
        2. The pool still counts the graph as its user.
        3. The default generator still counts as captured: `torch.rand` on the device raises.

        The graph itself is kept for good, since its destructor would release the pool once more.
        """
        _failed_graphs.append(graph)
        index = torch.cuda.current_device()
        pool, self._pool, self._stream = self._pool, None, None
        # A capture that failed at its very start, or one that ended, has closed these already and says so.
        assert pool is not None
        with contextlib.suppress(RuntimeError):
            torch._C._cuda_endAllocateToPool(index, pool)
        with contextlib.suppress(RuntimeError):
            torch._C._cuda_releasePool(index, pool)
        generator = torch.cuda.default_generators[index]
        generator.graphsafe_set_state(generator.clone_state())
