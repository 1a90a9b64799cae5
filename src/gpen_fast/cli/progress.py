"""How a long run shows that it works: a bar in a terminal, a line now and then elsewhere. Failures are told at once."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from gpen_fast.cli.failures import error_console, print_failure
from gpen_fast.measure.report_rows import PictureRow

# Seconds between two lines: a night's log stays short, and its last line is never old.
_INTERVAL_S = 10.0
_STOPPING = "stopping: pictures in the network are finished; Ctrl-C again stops at once"


class RunProgress(Protocol):
    """Shows how far a run is."""

    def advance(self, row: PictureRow) -> None:
        """One picture has come to its end, restored or not."""

    def ran(self, number: int, ms: float) -> None:
        """One run of `profile` has ended after so many milliseconds."""

    def failed(self, path: Path, why: str) -> None:
        """A picture of several that `profile` times has failed."""

    def stopping(self) -> None:
        """Says what happens after an interrupt. It is called in a signal handler."""


class _Rate(ProgressColumn):
    """Pictures per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("- a second" if speed is None else f"{speed:.2f} a second")


class PictureBar:
    """Advances a bar in a terminal; failures are printed above it."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("restore", total=total)

    def advance(self, row: PictureRow) -> None:
        """One picture has come to its end, restored or not."""
        _tell_failure(row)
        self._bar.advance(self._task)

    def ran(self, number: int, ms: float) -> None:
        """One run of `profile` has ended after so many milliseconds."""
        self._bar.advance(self._task)

    def failed(self, path: Path, why: str) -> None:
        """A picture of several that `profile` times has failed."""
        print_failure(path, why)

    def stopping(self) -> None:
        """Says what happens after an interrupt."""
        self._bar.console.print(_STOPPING)


class ProgressLines:
    """Prints a line on standard error every 10 seconds at most."""

    def __init__(self, total: int, quiet: bool, now: Callable[[], float] = time.monotonic) -> None:
        """Starts the clock.

        Args:
            total: Pictures, or runs of `profile`, to come.
            quiet: Failures only.
            now: Seconds on a monotonic scale.
        """
        self._total = total
        self._quiet = quiet
        self._now = now
        self._done = self._failed = 0
        # When the last lines were printed, and how far the run was: its speed is that of about the last minute.
        self._told = deque([(now(), 0)], maxlen=7)

    def advance(self, row: PictureRow) -> None:
        """One picture has come to its end, restored or not."""
        _tell_failure(row)
        self._failed += row.outcome == "failed"
        self._tell_if_due("pictures")

    def ran(self, number: int, ms: float) -> None:
        """One run of `profile` has ended after so many milliseconds."""
        self._tell_if_due("runs")

    def failed(self, path: Path, why: str) -> None:
        """A picture of several that `profile` times has failed."""
        print_failure(path, why)

    def stopping(self) -> None:
        """Says what happens after an interrupt."""
        # The signal may have come while a line was being printed: Python refuses a second one then.
        with contextlib.suppress(RuntimeError):
            print(_STOPPING, file=sys.stderr, flush=True)

    def _tell_if_due(self, noun: str) -> None:
        self._done += 1
        now = self._now()
        if self._quiet or now - self._told[-1][0] < _INTERVAL_S or self._done == self._total:
            return
        since, done = self._told[0]
        rate = (self._done - done) / (now - since)
        self._told.append((now, self._done))
        failed = f", {self._failed} failed" if self._failed else ""
        print_stamped(
            f"{self._done} of {self._total} {noun} ({100 * self._done // self._total}%){failed}; "
            f"{rate:.2f} a second, {_duration((self._total - self._done) / rate)} left"
        )


@contextlib.contextmanager
def progress_over(total: int, quiet: bool) -> Iterator[RunProgress]:
    """Shows the progress of the block on standard error.

    Args:
        total: Pictures to restore, or runs of `profile`.
        quiet: Tells failures only.
    """
    console = error_console()
    if quiet or not console.is_terminal:
        yield ProgressLines(total, quiet)
        return
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield PictureBar(bar, total)


def print_stamped(text: str) -> None:
    """Prints a line with the time of day on standard error."""
    print(f"{datetime.now().astimezone():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def _tell_failure(row: PictureRow) -> None:
    if row.outcome == "failed":
        print_failure(Path(row.input), row.error)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
