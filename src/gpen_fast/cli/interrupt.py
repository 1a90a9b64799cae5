"""What Ctrl-C does to a long run."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def first_interrupt_stops(tell: Callable[[], None]) -> Iterator[threading.Event]:
    """Lets the first Ctrl-C inside the block end a run in good order; the second ends it at once.

    Args:
        tell: Called at the first Ctrl-C, in the signal handler.

    Yields:
        An event that is set at the first Ctrl-C. The second one interrupts as it did before the block.
    """
    stopped = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)
        tell()

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
