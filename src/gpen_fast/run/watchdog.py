"""Names a worker that hangs: a reader on a dead network drive, a network call, a writer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# How often the watchdog looks, as a part of the time after which a worker counts as hung.
_LOOKS = 8


class Watchdog:
    """Looks at regular intervals whether a piece of work takes longer than a limit. Safe to use from threads."""

    def __init__(self, limit_s: float, hung: Callable[[str], None]) -> None:
        """Starts no thread yet.

        Args:
            limit_s: Seconds after which a piece of work counts as hung.
            hung: Called once, in the watchdog's thread, with a sentence that names the work.
        """
        self._limit_s = limit_s
        self._hung = hung
        self._work: dict[int, tuple[str, str, float]] = {}
        self._ended = threading.Event()

    @contextmanager
    def busy(self, doing: str, what: str) -> Iterator[None]:
        """The calling thread does a piece of work inside the block.

        Args:
            doing: What it does, as in "reading".
            what: With what: a picture's path.
        """
        thread = threading.get_ident()
        self._work[thread] = (doing, what, time.monotonic())
        try:
            yield
        finally:
            self._work.pop(thread, None)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches inside the block, in a thread of its own."""
        thread = self._started()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def watch_on(self, hung: Callable[[str], None]) -> None:
        """Watches in a forked child, which has no thread of its parent's, until the child ends.

        Args:
            hung: As for the constructor.
        """
        self._hung = hung
        self._work.clear()
        self._started()

    def _started(self) -> threading.Thread:
        # A daemon: the program's end does not wait for it.
        thread = threading.Thread(target=self._watch, name="gpen-fast-watchdog", daemon=True)
        thread.start()
        return thread

    def _watch(self) -> None:
        while not self._ended.wait(self._limit_s / _LOOKS):
            for doing, what, since in list(self._work.values()):
                if time.monotonic() - since > self._limit_s:
                    self._hung(f"{doing} {what} has taken more than {self._limit_s:g} s")
                    return
