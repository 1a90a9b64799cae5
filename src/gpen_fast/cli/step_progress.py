"""How a measurement in several steps shows its progress: a line that changes in a terminal, a line a step elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.status import Status

from gpen_fast.cli.failures import error_console
from gpen_fast.cli.progress import print_stamped
from gpen_fast.run.steps import RunsDone

# Seconds between two lines about one step, so that a log shows that it goes on.
_INTERVAL_S = 30.0
_STOPPING = "stopping: what is measured is printed; Ctrl-C again stops at once"


class StepLines:
    """Tells each step, and every 30 seconds how far it is.

    Args:
        noun: What a step is: row or size.
        tell: Shows a line.
        interval_s: Seconds between two lines about one step.
    """

    def __init__(self, noun: str, tell: Callable[[str], object], interval_s: float = _INTERVAL_S) -> None:
        self._noun, self._tell, self._interval_s = noun, tell, interval_s
        self._step = ""
        self._told_s = 0.0

    def began(self, number: int, of: int, name: str) -> None:
        """The step of that number begins."""
        self._step = f"{self._noun} {number} of {of}: {name}"
        self._told_s = time.monotonic()
        self._tell(self._step)

    def ran(self, runs: RunsDone) -> None:
        """A run of the present step has ended."""
        now = time.monotonic()
        if now - self._told_s >= self._interval_s and runs.done < runs.of:
            self._told_s = now
            self._tell(f"{self._step}, run {runs.done} of {runs.of}")

    def stopping(self) -> None:
        """Says what happens after an interrupt. It is called in a signal handler."""
        # The signal may have come while a line was being printed: Python refuses a second one then.
        with contextlib.suppress(RuntimeError):
            self._tell(_STOPPING)


@contextlib.contextmanager
def step_progress(noun: str) -> Iterator[StepLines]:
    """Shows the steps of the block on standard error.

    Args:
        noun: What a step is: row or size.
    """
    console = error_console()
    if not console.is_terminal:
        yield StepLines(noun, print_stamped)
        return
    with console.status("starting") as status:
        yield StepLines(noun, _shown_in(status), interval_s=0.0)


def _shown_in(status: Status) -> Callable[[str], object]:
    return lambda text: status.update(text)
