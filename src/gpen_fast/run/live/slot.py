"""A slot of one between two threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class LatestSlot(Generic[_Item]):
    """Holds one item: the latest. One that is replaced before it was taken is dropped and counted."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: _Item | None = None
        self._closed = False
        self.dropped = 0
        """Items that were replaced."""

    def put(self, item: _Item) -> None:
        """Puts an item in, in place of one that waits. After `close` it is ignored."""
        with self._changed:
            if not self._closed:
                self.dropped += self._item is not None
                self._item = item
                self._changed.notify_all()

    def wait_empty(self) -> bool:
        """Waits until nothing waits in the slot; False where it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is None or self._closed)
            return not self._closed

    def __iter__(self) -> Iterator[_Item]:
        """The items as they come, until the slot is closed; one that waits then is still given."""
        while (item := self._take()) is not None:
            yield item
            # Held no longer than the caller holds it: a frame is many megabytes.
            del item

    def close(self) -> None:
        """Ends the iteration, and lets nothing more in."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self) -> _Item | None:
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item
