"""CUDA graphs of a network, one for each size of batch: hundreds of launches become one.

A bucket is a size of batch that has a graph. Each is run once without one first: what that needs of memory and
compilation is then had, and a bucket that does not fit is left out there. Then those that fit are captured into one
memory pool, largest first, so that the smaller live in what the largest needed. A graph is used once its replay gave
what the network without it had given.

Source: "CUDA Graphs" in PyTorch's notes on CUDA semantics.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.threads import seeded
from gpen_fast.errors import first_line

Run = Callable[[Tensor], Tensor]
# What a replay costs however few its faces, in pixels of a face: small layers, the weights' bytes, the launch.
_FIXED_PIXELS = 256 * 256
# Relative L2 between a replay and the call it was captured from: another algorithm in half precision at most.
_REPEATED = 2e-2


@dataclass(frozen=True, eq=False)
class Captured:
    """A call that can be repeated. replay: queues it on the current stream. out: its result, written anew each time."""

    replay: Callable[[], None]
    out: Tensor


class Recorder(Protocol):
    """What graphs need of a device."""

    def empty(self, batch: int, size: int) -> Tensor:
        """An uninitialised (batch,3,size,size) float32, not of the graphs' memory."""

    def capture(self, run: Run, faces: Tensor) -> Captured:
        """`run(faces)`, to be repeated on whatever `faces` holds then."""

    def join(self) -> None:
        """Lets the current stream wait for the one that was current at the last call."""

    def release(self) -> None:
        """Gives unused memory back to the device."""

    def wait(self) -> None:
        """Until the device has done all that is queued."""


class Graphs:
    """A network's calls by graphs; where there is no graph, or none any more, the network is called as it is.

    run: (B,3,S,S) float32 to the same. The graphs read its weights where they lie, so it is kept as long as they are.
    notes: what a user should know of how it runs.
    """

    def __init__(self, run: Run, size: int, recorder: Recorder) -> None:
        self.notes: list[str] = []
        self._run, self._size, self._recorder = run, size, recorder
        self._expected = 0
        self._refused: int | None = None
        self._captured: dict[int, Captured] = {}
        self._faces: Tensor | None = None
        self._prepared = False
        # The static input and results are everybody's: one call at a time may queue its copies around a replay.
        self._one_at_a_time = threading.Lock()

    @property
    def buckets(self) -> list[int]:
        """The sizes of batch that have a graph, ascending."""
        return sorted(self._captured)

    def expect(self, batch: int) -> None:
        """Calls will be of up to `batch` faces: the first one prepares for that."""
        self._expected = batch

    @torch.no_grad()
    def __call__(self, faces: Tensor) -> Tensor:
        """(B,3,S,S) float32 to the same, the caller's own. Once prepared, waits for nothing.

        Raises torch.OutOfMemoryError where so many faces did not fit: fewer do.
        """
        with self._one_at_a_time:
            if not self._prepared:
                self._prepare(max(self._expected, len(faces)))
            if not self._captured:
                return self._run(faces)
            if self._never_fits(len(faces)):
                raise torch.OutOfMemoryError(f"out of memory: {self._refused} faces did not fit before")
            return self._replayed(faces)

    def relieve(self, batch: int) -> bool:
        """Gives up all graphs and their memory, for good, where that may make room for `batch` faces.

        False where it cannot: there are none, or so many did not fit without any.
        """
        with self._one_at_a_time:
            if not self._captured or self._never_fits(batch):
                return False
            self._forget()
            self.notes.append("memory was short: CUDA graphs were dropped, small batches take longer.")
            return True

    def _never_fits(self, batch: int) -> bool:
        return self._refused is not None and batch >= self._refused

    def _replayed(self, faces: Tensor) -> Tensor:
        assert self._faces is not None
        out = self._recorder.empty(len(faces), self._size)
        self._recorder.join()
        done = 0
        for bucket in plan(len(faces), self.buckets, self._size):
            part = slice(done, min(done + bucket, len(faces)))
            rows, done = part.stop - part.start, part.stop
            # Rows beyond keep what was there before: nobody looks at what comes of them.
            self._faces[:rows].copy_(faces[part])
            self._captured[bucket].replay()
            out[part].copy_(self._captured[bucket].out[:rows])
        return out

    def _prepare(self, largest: int) -> None:
        """Probes and captures; after a failure those graphs serve that are whole, or none."""
        self._prepared, trouble = True, ""
        try:
            self._faces = self._recorder.empty(largest, self._size).copy_(_noise(self._size))
            tried = {bucket: self._tried(bucket) for bucket in buckets_up_to(largest)}
            fitting = {bucket: wanted for bucket, wanted in tried.items() if wanted is not None}
            for bucket in fitting:
                self._captured[bucket] = self._recorder.capture(self._run, self._faces[:bucket])
            trouble = self._unlike(fitting)
        except RuntimeError as error:
            trouble = "out of memory" if is_out_of_memory(error) else first_line(error)
        # Outside the handler, whose exception still holds the failed call's tensors.
        if trouble:
            self._forget()
            self.notes.append(f"no CUDA graphs ({trouble}): small batches take longer.")

    def _unlike(self, wanted: dict[int, Tensor]) -> str:
        """Which graph's replay is not what the same call gave without it; empty where all are. Waits for each."""
        for bucket, plain in wanted.items():
            self._captured[bucket].replay()
            apart = float((self._captured[bucket].out - plain).norm() / plain.norm())
            # Not so for NaN either.
            if not apart <= _REPEATED:
                return f"the replay of {bucket} faces is {apart:.1e} off"
        return ""

    def _tried(self, bucket: int) -> Tensor | None:
        """What the bucket gives without a graph, or None where it does not fit."""
        assert self._faces is not None
        made = None
        try:
            made = self._run(self._faces[:bucket])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._refused = bucket
        # What the probe held besides must not lie beside the pool.
        self._recorder.release()
        return made

    def _forget(self) -> None:
        # A replay of the call before may still be running, and the input's memory is another stream's soon.
        self._recorder.wait()
        self._captured, self._faces, self._refused = {}, None, None
        self._recorder.release()


def _noise(size: int) -> Tensor:
    """(1,3,size,size) in [-1,1]: something that every layer has an answer to."""
    return torch.rand(1, 3, size, size, generator=seeded(7)) * 2 - 1


def buckets_up_to(largest: int) -> list[int]:
    """`largest` and the powers of two below it, descending."""
    return [largest, *(1 << k for k in reversed(range(largest.bit_length())) if 1 << k < largest)]


def plan(faces: int, buckets: Sequence[int], size: int) -> list[int]:
    """The buckets, ascending in `buckets`, that run so many faces of `size` pixels at the least cost.

    The last may have room to spare: a replay of small pictures costs the same whatever is in it, so those batches
    are padded to the next bucket, and those of large pictures are split.
    """
    smaller = [bucket for bucket in buckets if bucket < faces]
    padded = [[bucket] for bucket in buckets if bucket >= faces][:1]
    split = [[smaller[-1], *plan(faces - smaller[-1], buckets, size)]] if smaller else []
    fixed = _FIXED_PIXELS / size**2
    return min(padded + split, key=lambda made: sum(made) + fixed * len(made))


class CudaRecorder:
    """Graphs on a GPU, all captured on one stream into one pool, which lets them use the same memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: Any = None
        self._stream: Any = None
        self._last: Any = None

    def empty(self, batch: int, size: int) -> Tensor:
        """See `Recorder`."""
        return torch.empty(batch, 3, size, size, device=self._device)

    def capture(self, run: Run, faces: Tensor) -> Captured:
        """See `Recorder`."""
        graph: Any = torch.cuda.CUDAGraph()
        current = torch.cuda.current_stream(self._device)
        # A capture that fails leaves its own stream as the current one: the outer block puts the caller's back.
        with torch.cuda.device(self._device), torch.cuda.stream(current):
            if self._pool is None:
                self._pool, self._stream = torch.cuda.graph_pool_handle(), torch.cuda.Stream()
            # Other threads read and write pictures meanwhile: only this one's calls must be capturable.
            capture = torch.cuda.graph(graph, self._pool, self._stream, capture_error_mode="thread_local")
            with capture:
                out = run(faces)
        return Captured(graph.replay, out)

    def join(self) -> None:
        """See `Recorder`."""
        stream = torch.cuda.current_stream(self._device)
        if self._last is not None and self._last != stream:
            stream.wait_stream(self._last)
        self._last = stream

    def release(self) -> None:
        """See `Recorder`."""
        torch.cuda.empty_cache()

    def wait(self) -> None:
        """See `Recorder`."""
        torch.cuda.synchronize(self._device)
