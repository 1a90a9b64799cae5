"""CUDA graphs of a network, one for each batch size: hundreds of launches become one.

A bucket is a batch size that may have a graph. A bucket is prepared when the first call needs it, so that a run of
single faces does not wait for the graphs of large batches:
1. Probe: the bucket runs once without a graph, which allocates memory and compiles kernels. A bucket that does not fit
   into memory is left out, and so are the larger ones.
2. Capture: the call is captured into the memory pool that all buckets share. A call that needs several buckets
   captures the largest first, so that the smaller ones live in the memory that it needed.
3. Check: a graph is used only if its replay gives what the probe gave.

Source: "CUDA Graphs" in PyTorch's notes on CUDA semantics.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.threads import seeded
from gpen_fast.errors import first_line
from gpen_fast.gpen.cuda.graph_recorder import CapturedCall, GraphRecorder, Run

# Cost of a replay that does not depend on its faces (small layers, the weights' bytes, the launch), in pixels of a
# face that take as long.
_FIXED_PIXELS = 256 * 256
# Most relative L2 between a replay and the probe: in half precision cuDNN may have chosen another algorithm.
_MOST_ERROR = 2e-2


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
        # The batch sizes that may have a graph, ascending. None before the first call.
        self._candidates: list[int] | None = None
        # The smallest batch that did not fit into memory when it was probed.
        self._too_large: int | None = None
        self._captured: dict[int, CapturedCall] = {}
        self._faces: Tensor | None = None
        # All calls share the static input and results: one at a time queues its copies around a replay.
        self._lock = threading.Lock()

    @property
    def buckets(self) -> list[int]:
        """The batch sizes that have a graph, ascending."""
        return sorted(self._captured)

    def expect(self, batch: int) -> None:
        """Announces calls of up to `batch` faces: none of them needs more than one graph."""
        self._expected = batch

    @torch.no_grad()
    def __call__(self, faces: Tensor) -> Tensor:
        """Runs the network. Once the buckets of such a call are prepared, it only queues work and never waits.

        Args:
            faces: (B,3,S,S) float32 on the recorder's device.

        Returns:
            (B,3,S,S) float32 in memory of its own.

        Raises:
            torch.OutOfMemoryError: So many faces did not fit into memory; fewer do.
        """
        with self._lock:
            buckets = self._prepared(len(faces))
            if not self._captured:
                return self._run(faces)
            if self._never_fits(len(faces)):
                raise torch.OutOfMemoryError(f"out of memory: {self._too_large} faces did not fit before")
            return self._replay(faces, buckets)

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

    def _replay(self, faces: Tensor, buckets: Sequence[int]) -> Tensor:
        assert self._faces is not None
        out = self._recorder.allocate(len(faces), self._size)
        self._recorder.follow_last_stream()
        done = 0
        for bucket in buckets:
            part = slice(done, min(done + bucket, len(faces)))
            rows, done = part.stop - part.start, part.stop
            # Padding rows hold stale data; their outputs are discarded.
            self._faces[:rows].copy_(faces[part])
            self._captured[bucket].replay()
            out[part].copy_(self._captured[bucket].out[:rows])
        return out

    def _prepared(self, faces: int) -> list[int]:
        """The buckets that run so many faces, each with its graph; empty where there are no graphs."""
        if self._candidates is None:
            largest = max(self._expected, faces)
            self._candidates = sorted(buckets_up_to(largest))
        while self._candidates:
            buckets = split_into_buckets(faces, self._candidates, self._size)
            missing = sorted(set(buckets) - self._captured.keys(), reverse=True)
            # A bucket that does not fit shortens the candidates: the split is made anew.
            if all(self._prepare(bucket) for bucket in missing):
                return buckets
        return []

    def _prepare(self, bucket: int) -> bool:
        """Probes, captures and checks a bucket; False where it has no graph, and why is noted."""
        failure = ""
        # A tensor made in inference mode cannot be written to outside of it, and the first call may be in it while a
        # later one is not. Leaving it enables gradients, which no_grad takes back.
        with torch.inference_mode(False), torch.no_grad():
            try:
                wanted = self._probe(bucket)
                if wanted is None:
                    return False
                captured = self._recorder.capture(self._run, self._static_input()[:bucket])
                failure = _mismatch(captured, wanted)
                self._captured[bucket] = captured
            except RuntimeError as error:
                failure = "out of memory" if is_out_of_memory(error) else first_line(error)
        # Not inside the handler: the exception there still holds the failed call's tensors.
        if failure:
            self._drop()
            self.notes.append(f"no CUDA graphs ({failure}): small batches take longer.")
        return not failure

    def _static_input(self) -> Tensor:
        """The input that all graphs read: rows for the largest bucket, none of them ever uninitialised."""
        if self._faces is None:
            assert self._candidates
            faces = self._recorder.allocate(self._candidates[-1], self._size)
            self._faces = faces.copy_(_noise(self._size))
        return self._faces

    def _probe(self, bucket: int) -> Tensor | None:
        """The bucket's result without a graph; None where it does not fit into memory."""
        result = None
        try:
            result = self._run(self._static_input()[:bucket])
        except RuntimeError as error:
            # More faces than these have a graph: memory is short now, and was not then.
            if not is_out_of_memory(error) or any(bucket < larger for larger in self._captured):
                raise
            self._too_large = bucket
            self._candidates = [smaller for smaller in self._candidates or () if smaller < bucket]
        # The pool takes its memory from the device: what the probe left in the cache would lie unused beside it.
        self._recorder.release()
        return result

    def _drop(self) -> None:
        # The last call's replay may still run, and another stream may get the static input's memory next.
        self._recorder.synchronize()
        self._captured, self._candidates, self._faces, self._too_large = {}, [], None, None
        self._recorder.release()


def _mismatch(captured: CapturedCall, wanted: Tensor) -> str:
    """How a graph's replay differs from its probe; empty where it does not. Waits for it."""
    captured.replay()
    error = float((captured.out - wanted).norm() / wanted.norm())
    # Written so that NaN counts as a difference.
    return "" if error <= _MOST_ERROR else f"the replay of {len(wanted)} faces is {error:.1e} off"


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
