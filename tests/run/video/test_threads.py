"""Threads beside the caller: order, bounds, and errors that reach the caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from gpen_fast.run.video.threads import ReadAheadThread, SinkThread


def test_items_come_in_order_and_few_are_read_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    reader = ReadAheadThread(items(), 3)
    first = next(iter(reader))
    time.sleep(0.05)
    assert first == 0
    assert len(made) <= 6
    reader.close()
    assert len(made) <= 7


def test_an_error_of_the_items_reaches_the_caller_after_those_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    got = []
    with pytest.raises(ValueError, match="broken"):
        for item in ReadAheadThread(items(), 3):
            got.append(item)
    assert got == [1]


def test_a_sink_takes_everything_before_its_block_ends() -> None:
    taken: list[int] = []
    with SinkThread(lambda item: (time.sleep(0.002), taken.append(item))[1], 2) as sink:
        for number in range(20):
            sink.put(number)
    assert taken == list(range(20))


def test_an_error_of_a_sink_reaches_the_caller() -> None:
    def fail(item: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), SinkThread(fail, 1) as sink:
        for number in range(20):
            sink.put(number)
    assert not any("encoder" in thread.name for thread in threading.enumerate())


def test_who_waits_for_a_thread_that_is_closed_ends() -> None:
    waits = threading.Event()

    def never() -> Iterator[int]:
        yield 1
        waits.wait()

    source = ReadAheadThread(never(), 1)
    reader = ReadAheadThread(iter(source), 1)
    assert next(iter(reader)) == 1
    closing = threading.Thread(target=source.close, daemon=True)
    closing.start()
    waits.set()
    closing.join(5)
    reader.close()
    assert not closing.is_alive()
