"""A child process that starts from nothing: its libraries, threads and peak of memory are its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import TypeVar

Task = TypeVar("Task")


class SpawnedChild:
    """A process that runs one function.

    Args:
        work: A function of a module, called in the child with its end of a pipe and the task.
        task: What pickle can copy.
        name: The process's name.
    """

    def __init__(self, work: Callable[[Connection, Task], None], task: Task, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, task), name=name, daemon=True)
        # The child inherits that the signal is ignored: Ctrl-C in a terminal reaches every process of the command, and
        # the parent alone answers it.
        with _interrupt_ignored():
            self._process.start()
        theirs.close()

    def ended_by(self) -> str:
        """Waits for the end of the process, and says what ended it: "signal 9 (SIGKILL)" or "status 1"."""
        self._process.join()
        status = self._process.exitcode or 0
        return f"status {status}" if status >= 0 else f"signal {-status} ({signal.Signals(-status).name})"

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


@contextlib.contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """Only the main thread may change a signal's handler; from others the child is started as it is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
