"""The pictures under way: bounds, order, stopping, and pictures that another worker takes over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from windows import Consumer, done, paths, reads_of, window_of, worked

from gpen_fast.run.ahead import NoPicture
from gpen_fast.run.job import PictureSource


def test_sources_are_taken_only_while_few_are_under_way() -> None:
    asked: list[int] = []
    window = window_of((asked.append(each.index) or each for each in paths(40)), most_pictures=5)
    reads, results = reads_of(window), window.results()
    consumer = threading.Thread(target=lambda: next(results))
    consumer.start()
    assert reads.take(held_up=False) == 0
    assert asked == [0, 1, 2, 3, 4]
    window.put(0, done(0))
    consumer.join(60)
    assert asked == [0, 1, 2, 3, 4], "the caller still has the first result"


def test_results_do_not_wait_for_slow_sources() -> None:
    """A camera's frames: each is restored before the next one is there."""
    results: list[int] = []
    behind: list[int] = []
    restored = threading.Semaphore(0)

    def frames() -> Iterator[PictureSource]:
        for source in paths(8):
            if source.index:
                assert restored.acquire(timeout=60)
            behind.append(source.index - len(results))
            yield source

    window = window_of(frames(), most_pictures=8)
    reads = reads_of(window)

    def work() -> None:
        while isinstance(picture := reads.take(held_up=False), int):
            reads.handed_on(picture)
            window.put(picture, done(picture))
            restored.release()

    worker = threading.Thread(target=work)
    worker.start()
    for result in window.results():
        results.append(result)
    worker.join(60)
    assert results == list(range(8))
    assert max(behind) <= 2


def test_pictures_under_way_are_bounded_in_bytes() -> None:
    """Once a large one is read, the next waits until it is done; that one is then read whatever its size."""
    window = window_of(paths(12), most_pictures=12, most_bytes=250)
    reads = reads_of(window, bytes_of=lambda picture: 1000 if picture == 1 else 100, ahead=0)
    consumer = Consumer(window)
    assert reads.take(held_up=False) == 0
    assert reads.take(held_up=False) == 1
    window.put(0, done(0))
    assert reads.take(held_up=True) is NoPicture.YET, "1,000 bytes are under way"
    window.put(1, done(1))
    assert reads.take(held_up=False) == 2
    for index in (2, *range(3, 12)):
        if index > 2:
            assert reads.take(held_up=False) == index
        window.put(index, done(index))
    assert consumer.ended() == list(range(12))


def test_results_come_in_input_order() -> None:
    window = window_of(paths(4))
    consumer, reads = Consumer(window), reads_of(window)
    first = [reads.take(held_up=False) for _ in range(3)]
    for picture in reversed(first):
        time.sleep(0.02)
        window.put(picture, done(picture))
    assert worked(window, reads) == [3]
    assert consumer.ended() == [0, 1, 2, 3]


def test_stopping_finishes_what_is_being_read_and_leaves_out_the_rest() -> None:
    """So that what is done is the beginning of the input, whichever picture overtook another."""
    stopped = threading.Event()
    window = window_of(paths(20), stopped=stopped)
    consumer, reads = Consumer(window), reads_of(window)
    assert reads.take(held_up=False) == 0
    stopped.set()
    window.put(0, done(0))
    assert worked(window, reads) == [1, 2], "two were read ahead"
    assert consumer.ended() == [0, 1, 2]


def test_an_error_of_a_worker_ends_the_run_for_the_caller_and_the_others() -> None:
    window = window_of(paths(20))
    consumer, reads = Consumer(window), reads_of(window)
    assert reads.take(held_up=False) == 0
    window.fail(RuntimeError("device lost"))
    assert reads.take(held_up=False) is NoPicture.LEFT
    assert consumer.ended() == []
    assert str(consumer.error) == "device lost"


def test_an_error_of_the_sources_is_raised_to_the_caller() -> None:
    def sources() -> Iterator[PictureSource]:
        yield PictureSource(0, Path("a.png"))
        raise OSError("the list of inputs ended")

    with pytest.raises(OSError, match="list of inputs"):
        next(window_of(sources()).results())


def test_each_picture_goes_to_one_of_several_workers() -> None:
    window = window_of(paths(500), most_pictures=40)
    consumer = Consumer(window)
    with ThreadPoolExecutor(2) as readers, ThreadPoolExecutor(4) as workers:

        def work(number: int) -> list[int]:
            return worked(window, reads_of(window, lambda source: readers.submit(lambda: source.index)))

        shares = list(workers.map(work, range(4)))
    assert consumer.ended() == list(range(500))
    assert sorted(index for share in shares for index in share) == list(range(500))


def test_pictures_of_a_worker_that_failed_go_to_another_first() -> None:
    window = window_of(paths(8))
    consumer = Consumer(window)
    lost, other = reads_of(window), reads_of(window)
    assert [lost.take(held_up=False) for _ in range(2)] == [0, 1]
    assert [source.index for source in lost.in_hand] == [0, 1, 2, 3], "two are read ahead"
    window.put_back(lost.in_hand)
    assert worked(window, other) == list(range(8))
    assert consumer.ended() == list(range(8))


def test_a_result_that_fails_with_its_device_is_made_again() -> None:
    window = window_of(paths(3))
    consumer, reads = Consumer(window), reads_of(window)
    assert reads.take(held_up=False) == 0
    source = reads.handed_on(0)
    lost: Future[int] = Future()
    lost.set_exception(RuntimeError("device lost"))
    asked: list[str] = []

    def rescue(error: Exception) -> bool:
        asked.append(str(error))
        window.put_back([source])
        return True

    window.put(0, lost, rescue)
    while not asked:
        time.sleep(0.01)
    assert worked(window, reads) == [1, 2, 0], "two were read ahead"
    assert consumer.ended() == [0, 1, 2]
    assert asked == ["device lost"]


def test_the_depths_are_what_is_under_way() -> None:
    window = window_of(paths(3))
    reads = reads_of(window, bytes_of=lambda picture: 3 << 20)
    consumer_got = window.results()
    consumer = threading.Thread(target=lambda: next(consumer_got))
    consumer.start()
    assert reads.take(held_up=False) == 0
    assert window.depths["under way"]["pictures"] == 3
    assert window.depths["under way"]["MiB"] >= 3.0
    assert window.depths["waiting"] == {"results": 0}
    window.put(1, done(1))
    assert window.depths["waiting"] == {"results": 1}
    window.put(0, done(0))
    consumer.join(60)
