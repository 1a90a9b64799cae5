"""Reading ahead within bounds, and results in input order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from gpen_fast.run.channels import OrderedResults, ReadQueue
from gpen_fast.run.job import PictureSource, numbered


def done(value: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(value)
    return future


def paths(count: int) -> Iterator[PictureSource]:
    return numbered(Path(f"{i}.png") for i in range(count))


@pytest.fixture
def stopped() -> threading.Event:
    return threading.Event()


def queue_of(
    sources: Iterator[PictureSource],
    stopped: threading.Event,
    submit: Callable[[PictureSource], Future[int]] = lambda source: done(source.index),
) -> ReadQueue[int]:
    return ReadQueue(sources, submit, ahead=2, stopped=stopped)


def test_pictures_come_in_input_order_and_are_read_ahead_within_the_bound(stopped: threading.Event) -> None:
    asked: list[int] = []
    queue = queue_of(paths(9), stopped, lambda source: asked.append(source.index) or done(source.index))
    assert asked == [], "nothing is read before a picture is taken"
    for taken in range(9):
        assert next(queue) == taken
        assert len(asked) == min(taken + 3, 9)
    assert list(queue) == []


def test_stopping_leaves_what_is_read_ahead(stopped: threading.Event) -> None:
    queue = queue_of(paths(9), stopped)
    assert next(queue) == 0
    stopped.set()
    assert list(queue) == []


def test_an_error_of_a_reader_or_of_the_sources_is_raised(stopped: threading.Event) -> None:
    broken: Future[int] = Future()
    broken.set_exception(RuntimeError("device lost"))
    with pytest.raises(RuntimeError, match="device lost"):
        next(queue_of(paths(1), stopped, lambda source: broken))

    def sources() -> Iterator[PictureSource]:
        yield PictureSource(0, Path("a.png"))
        raise OSError("the list of inputs ended")

    with pytest.raises(OSError, match="list of inputs"):
        next(queue_of(sources(), stopped))


def test_each_picture_goes_to_one_of_several_workers(stopped: threading.Event) -> None:
    with ThreadPoolExecutor(2) as readers, ThreadPoolExecutor(4) as workers:
        queue = queue_of(paths(500), stopped, lambda source: readers.submit(lambda: source.index))
        shares = list(workers.map(lambda _: list(queue), range(4)))
    assert sorted(index for share in shares for index in share) == list(range(500))
    assert all(share == sorted(share) for share in shares)


def test_results_are_put_back_into_input_order() -> None:
    results: OrderedResults[int] = OrderedResults(10)
    results.put(2, done(2))
    results.put(1, done(1))
    assert list(results.ready()) == []
    results.put(0, done(0))
    assert list(results.ready()) == [0, 1, 2]
    results.put(3, done(3))
    assert list(results.ready()) == [3]


def test_a_result_in_work_holds_back_those_behind_it_until_too_many_wait() -> None:
    results: OrderedResults[int] = OrderedResults(2)
    first: Future[int] = Future()
    results.put(0, first)
    results.put(1, done(1))
    assert list(results.ready()) == []
    threading.Timer(0.05, first.set_result, [0]).start()
    results.put(2, done(2))
    assert list(results.ready()) == [0, 1, 2], "three wait, so the first is waited for"


def test_the_rest_is_waited_for() -> None:
    results: OrderedResults[int] = OrderedResults(10)
    first: Future[int] = Future()
    results.put(0, first)
    results.put(1, done(1))
    threading.Timer(0.05, first.set_result, [0]).start()
    assert list(results.rest()) == [0, 1]
