"""The progress bar of a long run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text


class _Rate(ProgressColumn):
    """Pictures per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("- images/s" if speed is None else f"{speed:.2f} images/s")


class PictureBar:
    """Advances a bar by one for each picture, and confirms an interrupt on standard error."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("restore", total=total)

    def advance(self, path: Path) -> None:
        """One picture has come to its end, restored or not."""
        self._bar.advance(self._task)

    def stopping(self) -> None:
        """Says what happens after an interrupt."""
        self._bar.console.print("stopping: pictures in the network are finished; Ctrl-C again stops at once")


@contextlib.contextmanager
def progress_over(total: int, quiet: bool) -> Iterator[PictureBar]:
    """Shows a bar on standard error, in a terminal only.

    Args:
        total: Pictures to restore.
        quiet: Shows nothing, in a terminal either.
    """
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bar:
        yield PictureBar(bar, total)
