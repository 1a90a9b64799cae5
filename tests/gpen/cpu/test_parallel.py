"""A batch on a CPU: who computes which face, on how many cores, and that the faces come out the same and in order."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.gpen.cpu.parallel import ParallelFaces
from gpen_fast.gpen.load import load_network
from gpen_fast.gpen.select import select_form
from gpen_fast.stages.generate.base import open_backend

TINY = config_from_arguments(16, style_dim=16, n_mlp=2, narrow=1 / 32)
CPU = torch.device("cpu")


@pytest.fixture(params=[2])
def cores(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


class Watched:
    """A network that adds one to a face and notes where it did so: (face, caller's thread or not, cores)."""

    def __init__(self) -> None:
        self.home = threading.get_ident()
        self.seen: list[tuple[int, bool, int]] = []
        self.made_for: list[int] = []

    def make(self) -> Callable[[Tensor], Tensor]:
        self.made_for.append(torch.get_num_threads())
        return self._run

    def _run(self, face: Tensor) -> Tensor:
        at_home = threading.get_ident() == self.home
        self.seen.append((int(face.flatten()[0]), at_home, torch.get_num_threads()))
        return face + 1


def numbered(count: int) -> Tensor:
    return torch.arange(float(count)).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


def run(watched: Watched, count: int, size: int = 256) -> list[tuple[int, bool, int]]:
    on_cores = ParallelFaces(watched.make, size)
    watched.seen.clear()
    assert torch.equal(on_cores(numbered(count)), numbered(count) + 1), "every face, in order"
    return sorted(watched.seen)


def test_a_single_face_has_all_cores(cores: int) -> None:
    assert run(Watched(), 1) == [(0, True, 2)]


def test_faces_of_a_batch_have_a_core_each(cores: int) -> None:
    assert run(Watched(), 4) == [(n, False, 1) for n in range(4)]


def test_the_odd_face_at_the_end_has_all_cores(cores: int) -> None:
    assert run(Watched(), 5) == [*((n, False, 1) for n in range(4)), (4, True, 2)]


@pytest.mark.parametrize("cores", [4], indirect=True)
def test_most_of_a_round_runs_side_by_side_too(cores: int) -> None:
    assert run(Watched(), 3) == [(n, False, 1) for n in range(3)]
    assert run(Watched(), 6) == [*((n, False, 1) for n in range(4)), (4, True, 4), (5, True, 4)]


@pytest.mark.parametrize("cores", [16], indirect=True)
def test_many_cores_share_eight_faces(cores: int) -> None:
    assert run(Watched(), 8) == [(n, False, 2) for n in range(8)]


def test_large_faces_have_all_cores_one_by_one(cores: int) -> None:
    watched = Watched()
    assert run(watched, 3, size=512) == [(n, True, 2) for n in range(3)]
    assert ParallelFaces(watched.make, 512).batch == 1


@pytest.mark.parametrize(("cores", "batch"), [(1, 1), (2, 8), (3, 6), (12, 6), (16, 8)], indirect=["cores"])
def test_a_batch_fills_every_round(cores: int, batch: int) -> None:
    assert ParallelFaces(Watched().make, 256).batch == batch


def test_weights_are_repacked_where_they_are_read(cores: int) -> None:
    """oneDNN's layout depends on the number of cores; a weight in a wrong one is repacked in every call."""
    watched = Watched()
    ParallelFaces(watched.make, 256)
    assert watched.made_for == [2, 1]


def test_each_face_meets_weights_repacked_for_its_cores(cores: int) -> None:
    def make() -> Callable[[Tensor], Tensor]:
        repacked_for = torch.get_num_threads()

        def run(face: Tensor) -> Tensor:
            assert torch.get_num_threads() == repacked_for
            return face

        return run

    on_cores = ParallelFaces(make, 256)
    for count in (1, 4, 5):
        assert len(on_cores(numbered(count))) == count


def test_nothing_is_kept_for_gradients(cores: int) -> None:
    """no_grad holds for the caller's thread alone."""
    kept: list[bool] = []

    def noting(face: Tensor) -> Tensor:
        kept.append(torch.is_grad_enabled())
        return face

    with torch.no_grad():
        ParallelFaces(lambda: noting, 256)(numbered(5))
    assert kept == [False] * 5


def test_faces_really_run_at_the_same_time(cores: int) -> None:
    both = threading.Barrier(2, timeout=60)

    def meeting(face: Tensor) -> Tensor:
        both.wait()
        return face

    assert len(ParallelFaces(lambda: meeting, 256)(numbered(4))) == 4


def test_the_callers_cores_stay_as_they_were(cores: int) -> None:
    run(Watched(), 4)
    assert torch.get_num_threads() == 2
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [2]


def test_what_goes_wrong_with_one_face_is_told_and_the_next_call_works(cores: int) -> None:
    def choosy(face: Tensor) -> Tensor:
        if float(face.max()) == 3:
            raise RuntimeError("not this face")
        return face

    on_cores = ParallelFaces(lambda: choosy, 256)
    with pytest.raises(RuntimeError, match="not this face"):
        on_cores(numbered(4))
    assert len(on_cores(numbered(2))) == 2


def test_a_failure_is_told_when_no_face_is_at_work_any_more(cores: int) -> None:
    """A caller that tries again with fewer faces needs the memory of these."""
    failed, at_work = threading.Event(), []

    def uneven(face: Tensor) -> Tensor:
        if float(face.max()) == 0:
            failed.set()
            raise RuntimeError("not this face")
        at_work.append(1)
        assert failed.wait(60)
        time.sleep(0.2)
        at_work.pop()
        return face

    with pytest.raises(RuntimeError, match="not this face"):
        ParallelFaces(lambda: uneven, 256)(numbered(2))
    assert not at_work


def test_its_threads_end_with_it(cores: int) -> None:
    on_cores = ParallelFaces(Watched().make, 256)
    threads = list(on_cores._pool._threads)
    assert all(thread.is_alive() for thread in threads)
    del on_cores
    gc.collect()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_several_callers_each_get_their_own_faces(cores: int) -> None:
    on_cores = ParallelFaces(Watched().make, 256)
    given = [numbered(5) + 10 * caller for caller in range(4)]
    with ThreadPoolExecutor(4) as callers:
        for faces, found in zip(given, callers.map(on_cores, given), strict=True):
            assert torch.equal(found, faces + 1)


# A parent that had no OpenMP threads of its own, which do not survive a fork either.
FORKED = """
import os, signal
import torch
from gpen_fast.gpen.cpu.parallel import ParallelFaces
torch.set_num_threads(2)
on_cores = ParallelFaces(lambda: lambda face: face + 1, 256)
assert torch.equal(on_cores(torch.zeros(4, 3, 8, 8)), torch.ones(4, 3, 8, 8))
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if torch.equal(on_cores(torch.zeros(4, 3, 8, 8)), torch.ones(4, 3, 8, 8)) else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_does_not_wait_for_threads_that_stayed_behind() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert ran.stdout.strip() == "0"


@pytest.mark.parametrize(("size", "batch"), [(256, 8), (512, 1)])
def test_a_backend_takes_as_many_faces_as_suit_the_cores(cores: int, size: int, batch: int) -> None:
    network = build(random_state(config_from_arguments(size, style_dim=8, n_mlp=1, narrow=1 / 64)))
    assert open_backend("folded", network, "fp32", CPU).default_batch == batch


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_face_is_the_same_alone_and_in_a_batch(cores: int, precision: str) -> None:
    run = select_form(build(random_state(TINY)), precision, CPU).run
    faces = torch.rand(5, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        alone = torch.cat([run(face) for face in faces.split(1)])
        assert torch.allclose(run(faces), alone, atol=1e-6 if precision == "fp32" else 2e-2)


def test_a_face_with_gradients_gives_a_result_without(cores: int) -> None:
    network = load_network(random_state(TINY), form="folded")
    assert not network(torch.zeros(2, 3, 16, 16, requires_grad=True)).requires_grad
