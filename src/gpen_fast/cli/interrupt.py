"""What Ctrl-C, SIGTERM and a closed terminal do to a long run."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from gpen_fast.cli.signals import SIGNALS, end_at_once, end_in_order


@contextlib.contextmanager
def first_interrupt_stops(tell: Callable[[], None]) -> Iterator[threading.Event]:
    """Lets the first signal inside the block end a run in good order; the second ends it at once.

    The signals are SIGINT (Ctrl-C), SIGTERM (`kill`, service managers, batch systems) and SIGHUP (the terminal is
    closed). One that is ignored, as SIGHUP is under nohup, stays ignored.

    Args:
        tell: Called at the first signal, in the signal handler.

    Yields:
        An event that is set at the first signal. The second one interrupts as it did before the block; where that
        would end the process on the spot, it raises SystemExit, so that no temporary file is left.
    """
    stopped = threading.Event()
    before = {number: signal.getsignal(number) for number in _signals()}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        for each, handler in before.items():
            signal.signal(each, end_in_order if handler is end_at_once else handler)
        tell()

    for number in before:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signals() -> list[signal.Signals]:
    hang_up = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []  # Windows has none
    return [*SIGNALS, *hang_up]
