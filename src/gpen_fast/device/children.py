"""Forked child processes that compute on one core each, and end with their parent. Linux only."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from gpen_fast.device.fork import ready_after_fork

# prctl(2): the number of "send me this signal when my parent ends".
_PR_SET_PDEATHSIG = 1
# The signal that `interrupt` sends. The child gets it from its parent only.
_INTERRUPT = getattr(signal, "SIGUSR1", signal.SIGTERM)  # Windows, which does not fork, has none
# Seconds that an interrupted child has: the write of a large picture takes one or two.
_GRACE_S = 5.0


def can_fork() -> bool:
    """Whether child processes may be forked here. macOS and Windows have no fork that libraries survive."""
    return sys.platform == "linux"


class Child:
    """A forked process that computes on one core.

    Args:
        work: Runs in the child, with its end of a pipe; its return ends the process.
        name: The process's name.
        others: Pipes of other children, which this one is not to hold open.
    """

    def __init__(
        self, work: Callable[[Connection], None], name: str, others: tuple[Connection, ...] = ()
    ) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()

        def run() -> None:
            for connection in (self.pipe, *others):
                connection.close()
            _belong_to_parent(parent)
            ready_after_fork()
            work(theirs)

        parent = os.getpid()
        self._process: BaseProcess = context.Process(target=run, name=name, daemon=True)
        with warnings.catch_warnings():
            # Python warns of every fork beside threads. `device.fork` deals with those of torch and OpenCV, and the
            # child uses no lock that another thread of the program may hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()

    @property
    def number(self) -> int:
        """The process's number in the system."""
        return self._process.pid or 0

    def ended_by(self) -> str:
        """Waits for the end of the process, and says what ended it: "signal 9 (SIGKILL)" or "status 1"."""
        self._process.join()
        status = self._process.exitcode or 0
        if status >= 0:
            return f"status {status}"
        return f"signal {-status} ({signal.Signals(-status).name})"

    def interrupt(self) -> None:
        """Ends the process soon: SystemExit is raised in its `work`. One that does not end within seconds is killed."""
        if self._process.is_alive():
            os.kill(self.number, _INTERRUPT)
            self._process.join(_GRACE_S)
        self._process.kill()
        self._process.join()
        self.pipe.close()

    def end(self) -> None:
        """Waits until the process has ended by itself."""
        self._process.join()
        self.pipe.close()


def _belong_to_parent(parent: int) -> None:
    """The child ends when its parent does, however that ends, and leaves signals of the terminal to it."""
    signal.signal(_INTERRUPT, lambda number, frame: sys.exit(1))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)
