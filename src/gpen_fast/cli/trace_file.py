"""`--trace`: a timeline that is written while a run goes on. Imports no torch."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gpen_fast import __version__
from gpen_fast.cli.names import shown
from gpen_fast.errors import InputsError, reason
from gpen_fast.files import GrowingFile, remove_leftovers

if TYPE_CHECKING:
    from gpen_fast.measure.export.trace import Timeline


def check_trace(path: Path | None) -> None:
    """Raises InputsError if the file of --trace cannot be written, before any work. Leaves nothing behind."""
    if path:
        _opened(path).discard()


class OpenTrace:
    """The timeline of a run, and the end of its file."""

    def __init__(self, file: GrowingFile | None = None, timeline: Timeline | None = None) -> None:
        """Takes the file, which it closes, and what writes to it; None for both without --trace."""
        self.timeline = timeline
        self._file = file

    def close(self) -> None:
        """Gives the file its name, with all that was traced so far; a second call does nothing.

        If it cannot be written, a note says so: the pictures matter more.
        """
        file, self._file = self._file, None
        if file is None or self.timeline is None:
            return
        self.timeline.close()
        try:
            if failure := self.timeline.failure:
                file.discard()
                raise failure
            file.keep()
        except OSError as cause:
            why = reason(cause, file.path)
            print(
                f"note: --trace {shown(file.path)}: {why}. There is no timeline of this run.", file=sys.stderr
            )


@contextlib.contextmanager
def trace_file(path: Path | None, command: str, name_of: Callable[[int], str]) -> Iterator[OpenTrace]:
    """The timeline of --trace while the block runs; however it ends, the file holds what was traced until then.

    Args:
        path: The file; None for no timeline.
        command: The command that runs.
        name_of: The name of a picture, by its position in the input of the run.

    Raises:
        InputsError: The file cannot be created.
    """
    if path is None:
        yield OpenTrace()
        return
    from gpen_fast.measure.export.trace import Timeline

    remove_leftovers(path.parent)
    file = _opened(path)
    about = {"program": f"gpen-fast {__version__}", "command": command}
    trace = OpenTrace(file, Timeline(file, name_of, about))
    try:
        yield trace
    finally:
        trace.close()


def _opened(path: Path) -> GrowingFile:
    try:
        return GrowingFile(path)
    except OSError as cause:
        raise InputsError(f"--trace {path}: cannot be written: {reason(cause, path)}.") from cause
