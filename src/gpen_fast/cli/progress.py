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


class BarOfPictures:
    """Moves a bar; says on standard error that an interrupt was heard."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("restore", total=total)

    def advance(self, path: Path) -> None:
        """One picture came to an end."""
        self._bar.advance(self._task)

    def stopping(self) -> None:
        """Says what happens now."""
        self._bar.console.print(
            "stopping: the pictures in the network are finished; Ctrl-C again ends at once"
        )


@contextlib.contextmanager
def progress_over(total: int, quiet: bool) -> Iterator[BarOfPictures]:
    """A bar on standard error, in a terminal only."""
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bar:
        yield BarOfPictures(bar, total)
