"""A capture that fails leaves torch as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import torch

from gpen_fast.gpen.cuda.graph_recorder import CudaGraphRecorder
from gpen_fast.gpen.cuda.graphs import Graphs

DEVICE = torch.device("cuda", 0)


class Torch:
    """Stands for the calls of torch that a capture makes on a GPU, and writes down those that matter."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.captures = 0
        none = contextlib.nullcontext()
        for name, fake in {
            "CUDAGraph": lambda: self,
            "current_stream": lambda device: None,
            "device": lambda device: none,
            "stream": lambda stream: none,
            "Stream": lambda: None,
            "graph_pool_handle": self.new_pool,
            "graph": self.graph,
            "current_device": lambda: 0,
            "default_generators": (self,),
        }.items():
            monkeypatch.setattr(torch.cuda, name, fake)
        monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", self.ended, raising=False)
        monkeypatch.setattr(torch._C, "_cuda_releasePool", self.released, raising=False)

    def new_pool(self) -> tuple[int, int]:
        self.captures += 1
        return (0, self.captures)

    @contextlib.contextmanager
    def graph(self, graph: object, pool: object, stream: object, capture_error_mode: str) -> Iterator[None]:
        self.said.append(f"capture into {pool}")
        yield

    def ended(self, index: int, pool: object) -> None:
        self.said.append(f"end {pool}")
        raise RuntimeError("the pool is not in use")

    def released(self, index: int, pool: object) -> None:
        self.said.append(f"release {pool}")

    def clone_state(self) -> str:
        return "a clone"

    def graphsafe_set_state(self, state: str) -> None:
        self.said.append(f"generator has {state}")

    def replay(self) -> None:
        pass


def test_a_capture_that_fails_is_ended_and_the_next_gets_a_pool_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = Torch(monkeypatch)
    recorder, faces = CudaGraphRecorder(DEVICE), torch.zeros(1, 3, 8, 8)

    def fails(faces: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    with pytest.raises(RuntimeError, match="not permitted"):
        recorder.capture(fails, faces)
    assert fake.said == [
        "capture into (0, 1)",
        "end (0, 1)",
        "release (0, 1)",
        "generator has a clone",
    ]
    fake.said.clear()
    recorder.capture(lambda faces: faces, faces)
    recorder.capture(lambda faces: faces, faces)
    assert fake.said == ["capture into (0, 2)", "capture into (0, 2)"]


@pytest.mark.cuda
def test_a_capture_that_fails_leaves_the_callers_stream_and_a_working_device() -> None:
    # Reading a value waits, which a capture forbids.
    graphs = Graphs(lambda faces: faces * float(faces.mean() * 0 + 0.5), 64, CudaGraphRecorder(DEVICE))
    before, faces = torch.cuda.current_stream(DEVICE), torch.rand(2, 3, 64, 64, device=DEVICE)
    assert torch.equal(graphs(faces), faces * 0.5)
    assert graphs.notes[0].startswith("no CUDA graphs (")
    assert torch.cuda.current_stream(DEVICE) == before
    assert torch.equal(graphs(faces), faces * 0.5)
    # The device's generator, its allocator and its cache work as before.
    assert torch.isfinite(torch.rand(8, device=DEVICE)).all()
    large = torch.empty(64 << 20, dtype=torch.uint8, device=DEVICE)
    reserved = torch.cuda.memory_reserved(DEVICE)
    del large
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved(DEVICE) < reserved
