"""Work of one kind in a thread of its own, with a bounded queue between it and the caller."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

_Item = TypeVar("_Item")
# Seconds after which a waiting thread looks whether the other has ended.
_LOOK_S = 0.1


class ReadAheadThread(Generic[_Item]):
    """Runs an iterator in a thread, some items ahead of its caller."""

    def __init__(self, items: Iterator[_Item], ahead: int, name: str = "decoder") -> None:
        """Starts at once.

        Args:
            items: Runs in the thread, and is closed there.
            ahead: Items that may wait.
            name: Of the thread: a lane of timelines.
        """
        self._items = items
        self._queue: queue.Queue[_Item | None] = queue.Queue(ahead)
        self._error: BaseException | None = None
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"gpen-fast-{name}", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[_Item]:
        while True:
            try:
                item = self._queue.get(timeout=_LOOK_S)
            except queue.Empty:
                if self._left.is_set():
                    return  # closed by another thread: no item comes any more
                continue
            if item is None:
                break
            yield item
            del item
        if self._error:
            raise self._error

    def close(self) -> None:
        """Ends the thread, and waits for it."""
        self._left.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # broad: it is raised in the caller's thread
            self._error = error
        finally:
            close = getattr(self._items, "close", None)
            if close:
                close()
            self._put(None)

    def _put(self, item: _Item | None) -> bool:
        while not self._left.is_set():
            try:
                self._queue.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False


class SinkThread(Generic[_Item]):
    """Hands items to a function in a thread, in their order. As a context it waits for the last one."""

    def __init__(self, take: Callable[[_Item], None], waiting: int) -> None:
        """Starts at once.

        Args:
            take: Called with each item, in the thread.
            waiting: Items that may wait.
        """
        self._take = take
        self._queue: queue.Queue[_Item | None] = queue.Queue(waiting)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="gpen-fast-encoder", daemon=True)
        self._thread.start()

    def put(self, item: _Item) -> None:
        """Hands an item on; raises what the function raised for an earlier one."""
        while True:
            if self._error:
                raise self._error
            try:
                self._queue.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue_end()
        self._thread.join()
        if error is None and self._error:
            raise self._error

    def _queue_end(self) -> None:
        while self._thread.is_alive():
            try:
                self._queue.put(None, timeout=_LOOK_S)
            except queue.Full:
                continue
            return

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._take(item)
                del item
        except BaseException as error:  # broad: it is raised in the caller's thread
            self._error = error
