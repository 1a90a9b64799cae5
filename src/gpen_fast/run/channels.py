"""The two ends of a run: pictures are read ahead into one bounded queue, results leave in input order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

from gpen_fast.run.job import PictureSource

_Read = TypeVar("_Read")
_Result = TypeVar("_Result")


class ReadQueue(Generic[_Read]):
    """Pictures in input order, read ahead by a pool of readers.

    An iterator that several workers may share: each picture goes to exactly one of them. Sources are taken one at a
    time, and only while fewer than `ahead` pictures wait beside the one that is handed out.
    """

    def __init__(
        self,
        sources: Iterable[PictureSource],
        submit: Callable[[PictureSource], Future[_Read]],
        *,
        ahead: int,
        stopped: threading.Event,
    ) -> None:
        self._sources = iter(sources)
        self._submit = submit
        self._ahead = ahead
        self._stopped = stopped
        self._window: deque[Future[_Read]] = deque()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[_Read]:
        return self

    def __next__(self) -> _Read:
        with self._lock:
            # The event is only read here, so that a signal handler may set it while this thread holds the lock.
            if self._stopped.is_set():
                raise StopIteration
            while len(self._window) <= self._ahead and (source := next(self._sources, None)):
                self._window.append(self._submit(source))
            if not self._window:
                raise StopIteration
            first = self._window.popleft()
        return first.result()


class OrderedResults(Generic[_Result]):
    """Results by index, in any order, handed on in input order. Belongs to one thread."""

    def __init__(self, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._futures: dict[int, Future[_Result]] = {}
        self._next = 0

    def put(self, index: int, result: Future[_Result]) -> None:
        """Takes the result of the picture with this index, once it is being made."""
        self._futures[index] = result

    def ready(self) -> Iterator[_Result]:
        """What is done up to the first picture that is not; waits for that one if too many wait behind it."""
        while (first := self._futures.get(self._next)) and (
            first.done() or len(self._futures) > self._most_waiting
        ):
            yield self._taken()

    def rest(self) -> Iterator[_Result]:
        """All that is left, waiting for each."""
        while self._futures:
            yield self._taken()

    def _taken(self) -> _Result:
        first = self._futures.pop(self._next)
        self._next += 1
        return first.result()
