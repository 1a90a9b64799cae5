"""CUDA graphs by buckets: what is captured in which order, what a call costs, who owns what, and too little memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import torch
from helpers import TINY
from torch import Tensor

from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.cuda.graph_recorder import CapturedCall, CudaGraphRecorder, Run
from gpen_fast.gpen.cuda.graphs import Graphs, buckets_up_to, split_into_buckets
from gpen_fast.stages.generate.base import open_backend

SIZE = 8


class Network:
    """Halves its input; fails for more than `most` faces."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most
        self.calls: list[int] = []

    def __call__(self, faces: Tensor) -> Tensor:
        self.calls.append(len(faces))
        if len(faces) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return faces * 0.5


class Recorder:
    """Repeats calls on the CPU into the same memory, and writes down what it was asked for."""

    def __init__(
        self, fails: Callable[[int], Exception | None] = lambda batch: None, factor: float = 0.5
    ) -> None:
        self.fails, self.factor = fails, factor
        self.said: list[str] = []
        self.outs: list[Tensor] = []

    def allocate(self, batch: int, size: int) -> Tensor:
        self.said.append(f"empty {batch}")
        return torch.full((batch, 3, size, size), float("nan"))

    def capture(self, run: Run, faces: Tensor) -> CapturedCall:
        self.said.append(f"capture {len(faces)}")
        if error := self.fails(len(faces)):
            raise error
        out = torch.empty_like(faces)
        self.outs.append(out)

        def replay() -> None:
            self.said.append(f"replay {len(faces)}")
            out.copy_(faces * self.factor)

        return CapturedCall(replay, out)

    def follow_last_stream(self) -> None:
        self.said.append("join")

    def release(self) -> None:
        self.said.append("release")

    def synchronize(self) -> None:
        self.said.append("wait")


def faces_of(number: int) -> Tensor:
    return torch.randn(number, 3, SIZE, SIZE)


def prepared(batch: int, network: Network | None = None, size: int = SIZE) -> tuple[Graphs, Recorder]:
    recorder = Recorder()
    graphs = Graphs(network or Network(), size, recorder)
    graphs.expect(batch)
    for bucket in buckets_up_to(batch):
        graphs(torch.randn(bucket, 3, size, size))
    return graphs, recorder


def replays(recorder: Recorder) -> list[str]:
    return [said for said in recorder.said if said.startswith("replay")]


@pytest.mark.parametrize(
    ("largest", "buckets"), [(1, [1]), (2, [2, 1]), (8, [8, 4, 2, 1]), (12, [12, 8, 4, 2, 1])]
)
def test_buckets(largest: int, buckets: list[int]) -> None:
    assert buckets_up_to(largest) == buckets


def captures(recorder: Recorder) -> list[str]:
    return [said for said in recorder.said if said.startswith("capture")]


def test_a_call_prepares_the_buckets_that_it_needs_and_no_other() -> None:
    network, recorder = Network(), Recorder()
    graphs = Graphs(network, SIZE, recorder)
    graphs.expect(8)
    graphs(faces_of(1))
    assert network.calls == [1]
    assert captures(recorder) == ["capture 1"]
    # The input holds the largest bucket from the start: all graphs read it. What a probe held goes back before the
    # pool is filled.
    assert recorder.said[: recorder.said.index("capture 1")] == ["empty 8", "release"]
    graphs(faces_of(8))
    assert network.calls == [1, 8]
    assert graphs.buckets == [1, 8]
    assert graphs.notes == []


def test_a_call_of_several_buckets_captures_the_largest_first() -> None:
    recorder = Recorder()
    graphs = Graphs(Network(), 512, recorder)
    graphs.expect(8)
    graphs(torch.randn(7, 3, 512, 512))
    assert captures(recorder) == ["capture 4", "capture 2", "capture 1"]


def test_graphs_made_in_inference_mode_serve_outside_of_it_and_back() -> None:
    graphs, faces = Graphs(Network(), SIZE, Recorder()), faces_of(2)
    for inference in (True, False, True):
        with torch.inference_mode(inference):
            assert torch.equal(graphs(faces), faces * 0.5)
    assert graphs.buckets == [2]


def test_memory_that_runs_short_later_costs_the_graphs_and_no_picture() -> None:
    network = Network()
    graphs = Graphs(network, SIZE, Recorder())
    graphs.expect(8)
    graphs(faces_of(8))
    network.most = 0
    with pytest.raises(torch.OutOfMemoryError):
        graphs(faces_of(1))
    assert graphs.notes == ["no CUDA graphs (out of memory): small batches take longer."]
    network.most = 1
    assert torch.isfinite(graphs(faces_of(1))).all()


@pytest.mark.parametrize("factor", [0.6, float("nan")])
def test_graphs_that_repeat_something_else_are_not_used(factor: float) -> None:
    graphs = Graphs(Network(), SIZE, Recorder(factor=factor))
    faces = faces_of(2)
    assert torch.equal(graphs(faces), faces * 0.5)
    assert graphs.buckets == []
    assert graphs.notes[0].startswith("no CUDA graphs (the replay of 2 faces is ")


def test_nothing_is_prepared_before_the_first_call_nor_again() -> None:
    network, recorder = Network(), Recorder()
    graphs = Graphs(network, SIZE, recorder)
    graphs.expect(4)
    assert not recorder.said
    graphs(faces_of(4))
    before = len(network.calls), len(recorder.outs)
    graphs(faces_of(4))
    assert (len(network.calls), len(recorder.outs)) == before


def test_a_call_that_was_not_expected_prepares_for_itself() -> None:
    recorder = Recorder()
    graphs = Graphs(Network(), SIZE, recorder)
    graphs(faces_of(3))
    assert graphs.buckets == [3]


@pytest.mark.parametrize("number", [1, 2, 3, 5, 7, 8, 11, 20])
@pytest.mark.parametrize("size", [8, 512])
def test_any_number_of_faces_gives_each_its_own_result(number: int, size: int) -> None:
    graphs, _ = prepared(8, size=size)
    faces = torch.randn(number, 3, size, size)
    assert torch.equal(graphs(faces), faces * 0.5)


def test_a_steady_call_only_copies_replays_and_makes_its_result() -> None:
    graphs, recorder = prepared(8)
    recorder.said.clear()
    graphs(faces_of(8))
    assert recorder.said == ["empty 8", "join", "replay 8"]


def test_results_are_the_callers_own() -> None:
    graphs, recorder = prepared(4)
    faces = faces_of(4)
    kept = faces.clone()
    first = graphs(faces)
    second = graphs(-faces)
    assert torch.equal(faces, kept)
    assert torch.equal(first, kept * 0.5)
    assert torch.equal(second, kept * -0.5)
    first.zero_()
    assert torch.equal(graphs(faces), kept * 0.5)
    assert first.data_ptr() not in {out.data_ptr() for out in recorder.outs}


def test_faces_that_carry_gradients_leave_none() -> None:
    graphs, _ = prepared(2)
    assert not graphs(faces_of(2).requires_grad_()).requires_grad


@pytest.mark.parametrize(
    ("faces", "size", "planned"),
    [
        (5, 512, [4, 1]),  # five large faces cost less than eight
        (7, 512, [4, 2, 1]),
        (7, 256, [8]),  # one replay of small ones less than three
        (3, 128, [4]),
        (5, 64, [8]),
        (8, 1024, [8]),
        (20, 512, [8, 8, 4]),
        (1, 512, [1]),
    ],
)
def test_a_batch_between_buckets_is_padded_or_split_as_it_costs_less(
    faces: int, size: int, planned: list[int]
) -> None:
    assert split_into_buckets(faces, [1, 2, 4, 8], size) == planned


def test_padding_is_no_leak_between_calls() -> None:
    graphs, _ = prepared(8)
    graphs(torch.full((8, 3, SIZE, SIZE), float("nan")))
    out = graphs(faces_of(7))
    assert len(out) == 7
    assert torch.isfinite(out).all()


def test_a_bucket_that_does_not_fit_is_left_out_and_smaller_calls_served() -> None:
    graphs = Graphs(Network(most=3), SIZE, recorder := Recorder())
    graphs.expect(8)
    with pytest.raises(torch.OutOfMemoryError, match="4 faces did not fit"):
        graphs(faces_of(8))
    assert graphs.buckets == [2]
    assert not graphs.relieve(8)  # they did not fit without graphs either: halve
    assert not graphs.relieve(4)
    recorder.said.clear()
    faces = faces_of(2)
    assert torch.equal(graphs(faces), faces * 0.5)
    assert replays(recorder) == ["replay 2"]


def test_where_not_even_one_face_fits_the_network_itself_is_asked_again() -> None:
    network = Network(most=0)
    graphs = Graphs(network, SIZE, Recorder())
    with pytest.raises(torch.OutOfMemoryError):
        graphs(faces_of(1))
    assert not graphs.relieve(1)
    network.most = 1  # somebody else let go of memory
    assert torch.isfinite(graphs(faces_of(1))).all()


def test_under_pressure_graphs_go_and_the_network_stays() -> None:
    network = Network()
    graphs, recorder = prepared(4, network)
    recorder.said.clear()
    assert graphs.relieve(4)
    assert recorder.said == ["wait", "release"]
    assert graphs.buckets == []
    network.calls.clear()
    faces = faces_of(4)
    assert torch.equal(graphs(faces), faces * 0.5)
    assert network.calls == [4]
    assert not graphs.relieve(4)
    assert graphs.notes == ["memory was short: CUDA graphs were dropped, small batches take longer."]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            RuntimeError("CUDA error: operation not permitted\nCompile with ..."),
            "CUDA error: operation not permitted",
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried ..."), "out of memory"),
    ],
)
def test_a_capture_that_fails_leaves_the_network_as_it_is(error: Exception, why: str) -> None:
    network = Network()
    graphs = Graphs(network, SIZE, Recorder(lambda batch: error if batch == 4 else None))
    graphs.expect(4)
    graphs(faces_of(2))
    faces = faces_of(4)
    assert torch.equal(graphs(faces), faces * 0.5)
    assert graphs.buckets == []
    assert graphs.notes == [f"no CUDA graphs ({why}): small batches take longer."]
    network.calls.clear()
    graphs(faces)
    assert network.calls == [4]


def test_other_failures_of_the_network_are_not_hidden() -> None:
    def lost(faces: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: device lost")

    with pytest.raises(RuntimeError, match="device lost"):
        Graphs(lost, SIZE, Recorder())(faces_of(1))


class Slow(Recorder):
    """Lets other threads run around each replay."""

    def capture(self, run: Run, faces: Tensor) -> CapturedCall:
        made = super().capture(run, faces)

        def replay() -> None:
            time.sleep(1e-3)
            made.replay()
            time.sleep(1e-3)

        return CapturedCall(replay, made.out)


def test_threads_do_not_mix_their_faces() -> None:
    graphs = Graphs(Network(), SIZE, Slow())
    graphs.expect(4)
    wrong: list[int] = []

    def work(value: float) -> None:
        for _ in range(10):
            out = graphs(torch.full((3, 3, SIZE, SIZE), value))
            if not (out == value * 0.5).all():
                wrong.append(1)

    threads = [threading.Thread(target=work, args=(float(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_graphs_on_cuda_give_what_the_network_gives(precision: str) -> None:
    device = torch.device("cuda", 0)
    network = build(random_state(TINY))
    graphed = open_backend("folded", network, precision, device)
    graphed.expect(8)  # type: ignore[attr-defined]
    for number in (8, 5, 3, 1, 8):
        faces = torch.rand(number, 3, 64, 64, device=device) * 2 - 1
        out = graphed(faces)
        wanted = graphed._whole(faces)  # type: ignore[attr-defined]
        assert (out - wanted).norm() <= 2e-3 * wanted.norm()
    assert graphed.notes == []  # type: ignore[attr-defined]


@pytest.mark.cuda
def test_a_steady_call_on_cuda_waits_for_nothing_and_allocates_its_result_only() -> None:
    device = torch.device("cuda", 0)
    backend = open_backend("folded", build(random_state(TINY)), "fp16", device)
    faces = torch.rand(4, 3, 64, 64, device=device)
    backend(faces)
    torch.cuda.synchronize()
    before = torch.cuda.memory_stats(device)["allocation.all.allocated"]
    torch.cuda.set_sync_debug_mode("error")
    try:
        out = backend(faces)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.cuda.memory_stats(device)["allocation.all.allocated"] - before == 1
    assert torch.isfinite(out).all()


@pytest.mark.cuda
def test_dropped_graphs_give_their_memory_back() -> None:
    device = torch.device("cuda", 0)
    # Large enough for the pool to be seen.
    graphs = Graphs(lambda faces: (faces.repeat(1, 64, 1, 1) * 0.5)[:, :3], 512, CudaGraphRecorder(device))
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved(device)
    faces = torch.rand(4, 3, 512, 512, device=device)
    wanted = faces * 0.5
    assert torch.equal(graphs(faces), wanted)
    assert torch.cuda.memory_reserved(device) - before > 200e6
    assert graphs.relieve(4)
    assert torch.cuda.memory_reserved(device) - before < 100e6
    assert torch.equal(graphs(faces), wanted)


@pytest.mark.cuda
def test_streams_on_cuda_do_not_mix_their_faces() -> None:
    device = torch.device("cuda", 0)
    graphs = Graphs(lambda faces: faces * 0.5, 256, CudaGraphRecorder(device))
    graphs(torch.rand(4, 3, 256, 256, device=device))
    inputs = [torch.full((4, 3, 256, 256), float(number), device=device) for number in range(20)]
    torch.cuda.synchronize()
    streams, outs = [torch.cuda.Stream() for _ in range(2)], []
    for number, faces in enumerate(inputs):
        with torch.cuda.stream(streams[number % 2]):
            outs.append(graphs(faces))
    torch.cuda.synchronize()
    assert all(torch.equal(out, faces * 0.5) for out, faces in zip(outs, inputs, strict=True))
