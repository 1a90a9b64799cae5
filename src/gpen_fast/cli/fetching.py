"""What a person sees of a download: a bar in a terminal, lines elsewhere; and Ctrl-C that says what is kept."""

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
    """A download's listener: moves a bar on standard error, or writes a line there where it is no terminal."""

    def __init__(self, name: str, console: Console, bar: Progress) -> None:
        self._name = name
        self._console = console
        self._bar = bar
        self._task = bar.add_task(name, total=None)
        self._told = False

    def begins(self, have: int, total: int | None) -> None:
        """The bar's length; a resumed file begins where it broke off."""
        self._bar.update(self._task, completed=have, total=total)
        if have or not self._told:
            size = f"{total / _MB:.1f} MB" if total else "unknown size"
            self._line(f"{size}, going on after {have / _MB:.1f} MB" if have else size)
        self._told = True

    def came(self, count: int) -> None:
        """Moves it."""
        self._bar.advance(self._task, count)

    def note(self, text: str) -> None:
        """A line above the bar."""
        self._console.print(f"{self._name}: {escape(text)}")

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            self.note(f"fetching {text}")


@contextlib.contextmanager
def bar_for(name: str) -> Iterator[Bar]:
    """A bar for one file."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield Bar(name, console, bar)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends the block and the command with 130 and a sentence."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted: what came so far is kept; the same command goes on from there", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGINT, before)
