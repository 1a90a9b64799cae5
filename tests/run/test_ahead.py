"""Reading ahead within the bound; a picture that is read slowly."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import Future

import pytest
from windows import Consumer, done, paths, reads_of, window_of

from gpen_fast.run import ahead
from gpen_fast.run.ahead import NoPicture, ReadAhead


def test_pictures_are_read_ahead_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    submitted: list[int] = []
    window = window_of(paths(30), most_pictures=30)
    reads = reads_of(window, lambda source: submitted.append(source.index) or done(source.index))
    consumer = Consumer(window)
    for taken in range(30):
        assert reads.take(held_up=False) == taken
        assert len(submitted) <= taken + 3
        reads.handed_on(taken)
        window.put(taken, done(taken))
    assert reads.take(held_up=False) is NoPicture.LEFT
    assert consumer.ended() == list(range(30))


def test_a_straggler_is_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture on a slow disk holds back neither a batch nor those behind it."""
    monkeypatch.setattr(ahead, "PATIENCE_S", 0.005)
    slow: Future[int] = Future()
    window = window_of(paths(6))
    consumer = Consumer(window)
    reads = reads_of(window, lambda source: slow if source.index == 1 else done(source.index))
    order = [reads.take(held_up=False) for _ in range(5)]
    assert order == [0, 2, 3, 4, 5]
    began = time.monotonic()
    assert reads.take(held_up=True) is NoPicture.YET
    assert time.monotonic() - began < 10
    slow.set_result(1)
    assert reads.take(held_up=True) == 1
    for picture in (*order, 1):
        window.put(picture, done(picture))
    assert reads.take(held_up=False) is NoPicture.LEFT
    assert consumer.ended() == list(range(6))
    assert reads.waited_ns["load"] > 0


def test_an_error_of_a_reader_is_raised_to_its_worker() -> None:
    broken: Future[int] = Future()
    broken.set_exception(RuntimeError("device lost"))
    window = window_of(paths(1))
    Consumer(window)
    with pytest.raises(RuntimeError, match="device lost"):
        reads_of(window, lambda source: broken).take(held_up=False)
    window.fail(RuntimeError("device lost"))


def test_each_wait_is_told_with_its_cause() -> None:
    told: list[tuple[str, int, int]] = []
    slow: Future[int] = Future()
    window = window_of(paths(1))
    consumer = Consumer(window)
    waited_ns = {"load": 0, "save": 0}
    reads: ReadAhead[int] = ReadAhead(
        window,
        lambda source: slow,
        lambda picture: 0,
        waited_ns,
        ahead=2,
        told=lambda *wait: told.append(wait),
    )
    threading.Timer(0.25, slow.set_result, [0]).start()
    assert reads.take(held_up=False) == 0
    read = [end - start for cause, start, end in told if cause == "load"]
    assert sum(read) == waited_ns["load"] > 100_000_000
    assert all(end <= later for (_, _, end), (_, later, _) in itertools.pairwise(told))
    window.put(0, done(0))
    assert consumer.ended() == [0]
