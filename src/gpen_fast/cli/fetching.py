"""Progress of a download, as a bar on a terminal and as lines elsewhere, and Ctrl-C during one."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

_INTERRUPTED = 130
_MB = 1_000_000


class Bar:
    """Shows one download's progress on standard error: a bar if that is a terminal, else a line."""

    def __init__(self, name: str, console: Console, bar: Progress) -> None:
        self._name = name
        self._console = console
        self._bar = bar
        self._task = bar.add_task(name, total=None)
        self._told = False

    def start(self, have: int, total: int | None) -> None:
        """Sets the bar's length, and its start for a download that resumes.

        Args:
            have: Bytes that an earlier attempt left.
            total: Bytes of the whole file; None if the server does not say.
        """
        self._bar.update(self._task, completed=have, total=total)
        if have or not self._told:
            size = f"{total / _MB:.1f} MB" if total else "unknown size"
            self._line(f"{size}, resuming after {have / _MB:.1f} MB" if have else size)
        self._told = True

    def advance(self, count: int) -> None:
        """Moves the bar by `count` bytes."""
        self._bar.advance(self._task, count)

    def note(self, text: str) -> None:
        """Prints a line above the bar."""
        self._console.print(f"{self._name}: {escape(text)}")

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            self.note(f"fetching {text}")


@contextlib.contextmanager
def bar_for(name: str) -> Iterator[Bar]:
    """The progress of one download, for as long as the block runs; a bar disappears after it."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield Bar(name, console, bar)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While the block runs, Ctrl-C ends the command with exit status 130 and a message.

    In a thread other than the main one, which receives no signals, the block runs unchanged.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted: the bytes received are kept; run the same command to resume", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGINT, before)
