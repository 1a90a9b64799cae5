"""CUDA graphs of a network, one for each batch size: hundreds of launches become one.

A bucket is a batch size that has a graph. The first call prepares them:
1. Probe: each bucket runs once without a graph, which allocates memory and compiles kernels. A bucket that does not
   fit into memory is left out.
2. Capture: the buckets that fit are captured into one memory pool, largest first, so that the smaller ones live in
   the memory that the largest needed.
3. Check: a graph is used only if its replay gives what the probe gave.

Source: "CUDA Graphs" in PyTorch's notes on CUDA semantics.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory, release_cached_memory
from gpen_fast.device.threads import seeded
from gpen_fast.errors import first_line

Run = Callable[[Tensor], Tensor]
_PoolHandle = Any  # opaque: torch has no public type for it
# Cost of a replay that does not depend on its faces (small layers, the weights' bytes, the launch), in pixels of a
# face that take as long.
_FIXED_PIXELS = 256 * 256
# Most relative L2 between a replay and the probe: in half precision cuDNN may have chosen another algorithm.
_MOST_ERROR = 2e-2


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


class Graphs:
    """Runs a network by graphs; without graphs, or once they were dropped, calls the network itself.

    Args:
        run: The network, (B,3,S,S) float32 to the same. Graphs read its weights in place, so it is kept alive.
        size: S, pixels.
        recorder: Captures calls.

    Attributes:
        notes: What the user should know of how the network runs.
    """

    def __init__(self, run: Run, size: int, recorder: GraphRecorder) -> None:
        self.notes: list[str] = []
        self._run, self._size, self._recorder = run, size, recorder
        self._expected = 0
        # The smallest batch that did not fit into memory when it was probed.
        self._too_large: int | None = None
        self._captured: dict[int, CapturedCall] = {}
        self._faces: Tensor | None = None
        self._prepared = False
        # All calls share the static input and results: one at a time queues its copies around a replay.
        self._lock = threading.Lock()

    @property
    def buckets(self) -> list[int]:
        """The batch sizes that have a graph, ascending."""
        return sorted(self._captured)

    def expect(self, batch: int) -> None:
        """Announces calls of up to `batch` faces: the first call prepares graphs for that many."""
        self._expected = batch

    @torch.no_grad()
    def __call__(self, faces: Tensor) -> Tensor:
        """Runs the network. Once prepared, it only queues work and never waits for the device.

        Args:
            faces: (B,3,S,S) float32 on the recorder's device.

        Returns:
            (B,3,S,S) float32 in memory of its own.

        Raises:
            torch.OutOfMemoryError: So many faces did not fit into memory; fewer do.
        """
        with self._lock:
            if not self._prepared:
                self._prepare(max(self._expected, len(faces)))
            if not self._captured:
                return self._run(faces)
            if self._never_fits(len(faces)):
                raise torch.OutOfMemoryError(f"out of memory: {self._too_large} faces did not fit before")
            return self._replay(faces)

    def relieve(self, batch: int) -> bool:
        """Drops all graphs and their memory, for good, where that may make room for `batch` faces.

        Returns:
            False where it cannot help: there are no graphs, or so many faces did not fit without any.
        """
        with self._lock:
            if not self._captured or self._never_fits(batch):
                return False
            self._drop()
            self.notes.append("memory was short: CUDA graphs were dropped, small batches take longer.")
            return True

    def _never_fits(self, batch: int) -> bool:
        return self._too_large is not None and batch >= self._too_large

    def _replay(self, faces: Tensor) -> Tensor:
        assert self._faces is not None
        out = self._recorder.allocate(len(faces), self._size)
        self._recorder.follow_last_stream()
        done = 0
        for bucket in split_into_buckets(len(faces), self.buckets, self._size):
            part = slice(done, min(done + bucket, len(faces)))
            rows, done = part.stop - part.start, part.stop
            # Padding rows hold stale data; their outputs are discarded.
            self._faces[:rows].copy_(faces[part])
            self._captured[bucket].replay()
            out[part].copy_(self._captured[bucket].out[:rows])
        return out

    def _prepare(self, largest: int) -> None:
        """Probes, captures and checks. After a failure there are no graphs, and a note says why."""
        self._prepared, failure = True, ""
        try:
            self._faces = self._recorder.allocate(largest, self._size).copy_(_noise(self._size))
            probed = {bucket: self._probe(bucket) for bucket in buckets_up_to(largest)}
            fitting = {bucket: wanted for bucket, wanted in probed.items() if wanted is not None}
            for bucket in fitting:
                self._captured[bucket] = self._recorder.capture(self._run, self._faces[:bucket])
            failure = self._mismatch(fitting)
        except RuntimeError as error:
            failure = "out of memory" if is_out_of_memory(error) else first_line(error)
        # Not inside the handler: the exception there still holds the failed call's tensors.
        if failure:
            self._drop()
            self.notes.append(f"no CUDA graphs ({failure}): small batches take longer.")

    def _probe(self, bucket: int) -> Tensor | None:
        """The bucket's result without a graph; None where it does not fit into memory."""
        assert self._faces is not None
        result = None
        try:
            result = self._run(self._faces[:bucket])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._too_large = bucket
        # The pool takes its memory from the device: what the probe left in the cache would lie unused beside it.
        self._recorder.release()
        return result

    def _mismatch(self, wanted: dict[int, Tensor]) -> str:
        """Which graph's replay differs from its probe; empty where none does. Waits for each."""
        for bucket, probed in wanted.items():
            self._captured[bucket].replay()
            error = float((self._captured[bucket].out - probed).norm() / probed.norm())
            # Written so that NaN counts as a difference.
            if not error <= _MOST_ERROR:
                return f"the replay of {bucket} faces is {error:.1e} off"
        return ""

    def _drop(self) -> None:
        # The last call's replay may still run, and another stream may get the static input's memory next.
        self._recorder.synchronize()
        self._captured, self._faces, self._too_large = {}, None, None
        self._recorder.release()


def _noise(size: int) -> Tensor:
    """(1,3,size,size) uniform in [-1,1], on the CPU: zeros would hide differences."""
    return torch.rand(1, 3, size, size, generator=seeded(7)) * 2 - 1


def buckets_up_to(largest: int) -> list[int]:
    """`largest` and the powers of two below it, descending."""
    return [largest, *(1 << k for k in reversed(range(largest.bit_length())) if 1 << k < largest)]


def split_into_buckets(faces: int, buckets: Sequence[int], size: int) -> list[int]:
    """Chooses the buckets that run a number of faces at the least cost.

    A replay costs its bucket's faces and a fixed part, however many of its rows are used. So a batch of small
    pictures is padded to the next bucket, and one of large pictures is split.

    Args:
        faces: Number of faces.
        buckets: The batch sizes that have a graph, ascending.
        size: Side of a face, pixels.

    Returns:
        The buckets in order; only the last may have rows to spare.
    """
    smaller = [bucket for bucket in buckets if bucket < faces]
    padded = [[bucket] for bucket in buckets if bucket >= faces][:1]
    split = [[smaller[-1], *split_into_buckets(faces - smaller[-1], buckets, size)]] if smaller else []
    fixed = _FIXED_PIXELS / size**2
    return min(padded + split, key=lambda chosen: sum(chosen) + fixed * len(chosen))


class CudaGraphRecorder:
    """Captures graphs on a GPU, all on one stream into one pool, so that they share memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: _PoolHandle | None = None
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
            with capture:
                out = run(faces)
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
