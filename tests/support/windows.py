"""Windows of numbers in place of pictures, their consumer, and a worker that does nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path

from gpen_fast.run.ahead import ReadAhead
from gpen_fast.run.job import PictureSource, numbered
from gpen_fast.run.window import RunWindow

MANY = 1 << 40


def done(value: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(value)
    return future


def paths(count: int) -> Iterator[PictureSource]:
    return numbered(Path(f"{i}.png") for i in range(count))


def window_of(
    sources: Iterable[PictureSource],
    *,
    most_pictures: int = 8,
    most_bytes: int = MANY,
    stopped: threading.Event | None = None,
) -> RunWindow[int]:
    return RunWindow(
        sources,
        most_pictures=most_pictures,
        most_bytes=most_bytes,
        stopped=stopped or threading.Event(),
    )


def reads_of(
    window: RunWindow[int],
    submit: Callable[[PictureSource], Future[int]] = lambda source: done(source.index),
    bytes_of: Callable[[int], int] = lambda picture: 0,
    ahead: int = 2,
) -> ReadAhead[int]:
    return ReadAhead(window, submit, bytes_of, {"load": 0, "save": 0}, ahead=ahead)


class Consumer:
    """Takes a window's results in a thread, as the caller of a run does."""

    def __init__(self, window: RunWindow[int]) -> None:
        self.results: list[int] = []
        self.error: BaseException | None = None
        self._window = window
        self._thread = threading.Thread(target=self._consume, daemon=True)
        self._thread.start()

    def _consume(self) -> None:
        try:
            self.results.extend(self._window.results())
        except BaseException as error:
            self.error = error

    def ended(self) -> list[int]:
        self._thread.join(60)
        assert not self._thread.is_alive(), "the window did not end"
        return self.results


def worked(window: RunWindow[int], reads: ReadAhead[int]) -> list[int]:
    """A worker that hands on what it takes; returns the order."""
    order = []
    while isinstance(picture := reads.take(held_up=False), int):
        order.append(picture)
        reads.handed_on(picture)
        window.put(picture, done(picture))
    return order
