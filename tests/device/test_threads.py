"""Pools of threads with a part of the cores each, and generators of their own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import pytest
import torch

from gpen_fast.device.threads import (
    cores_beside,
    limited_thread_pool,
    on_cores,
    one_core_left,
    own_torch_threads,
    seeded,
)


@pytest.fixture(params=[2])
def cores(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_each_worker_has_its_number_of_cores_and_the_caller_keeps_its_own(cores: int) -> None:
    both = threading.Barrier(2, timeout=60)

    def count() -> int:
        both.wait()
        return torch.get_num_threads()

    with limited_thread_pool(2, 1) as pool:
        assert [each.result() for each in [pool.submit(count), pool.submit(count)]] == [1, 1]
    assert torch.get_num_threads() == cores
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == cores


def test_what_comes_when_no_thread_is_to_be_had_is_an_error_and_no_wait(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ThreadPoolExecutor.submit
    given: list[Future[int]] = []

    def only_once(pool: ThreadPoolExecutor, work: Callable[[], int]) -> Future[int]:
        if given:
            raise RuntimeError("can't start new thread")
        given.append(submit(pool, work))
        return given[0]

    monkeypatch.setattr(ThreadPoolExecutor, "submit", only_once)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        limited_thread_pool(2, 1)
    assert isinstance(given[0].exception(timeout=60), threading.BrokenBarrierError)
    assert torch.get_num_threads() == cores


def test_a_seed_gives_the_same_numbers_and_leaves_the_processs_alone() -> None:
    state = torch.get_rng_state()
    first, second = (torch.rand(4, generator=seeded(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


def test_one_thread_holds_for_torch_and_opencv() -> None:
    code = (
        "import cv2, torch; from gpen_fast.device.threads import use_one_thread; use_one_thread(); "
        "print(torch.get_num_threads(), cv2.getNumThreads())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "1"]


def test_one_core_is_left_while_the_block_runs() -> None:
    before, opencv = torch.get_num_threads(), cv2.getNumThreads()
    with one_core_left():
        assert torch.get_num_threads() == max(1, before - 1)
        assert cv2.getNumThreads() == 1
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (before, opencv)


def test_a_thread_has_its_own_number_of_cores_while_it_iterates(cores: int) -> None:
    assert [cores_beside(0), cores_beside(1), cores_beside(5)] == [2, 1, 1]
    items = on_cores(1, lambda: iter([torch.get_num_threads(), 7]))
    assert next(items) == 1
    assert torch.get_num_threads() == 1
    assert list(items) == [7]
    assert torch.get_num_threads() == cores
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == cores
    with own_torch_threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == cores
