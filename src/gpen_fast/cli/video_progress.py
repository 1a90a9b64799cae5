"""How a run of `video` shows that it works: lines on standard error, at most one every ten seconds for each video."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gpen_fast.cli.failures import print_failure
from gpen_fast.cli.names import shown
from gpen_fast.cli.progress import print_stamped
from gpen_fast.cli.row_book import RowBook
from gpen_fast.measure.report_rows import PictureRow

_INTERVAL_S = 10.0
_STOPPING = "stopping: frames in the network are finished and kept; Ctrl-C again stops at once"


class FrameLines:
    """Tells how far each video is."""

    def __init__(self, book: RowBook, *, quiet: bool, now: Callable[[], float] = time.monotonic) -> None:
        """Tells nothing yet.

        Args:
            book: Is given the row of each video.
            quiet: Tells failures only.
            now: Seconds on a monotonic scale.
        """
        self._book = book
        self._quiet = quiet
        self._now = now
        self._name = Path()
        self._total = self._done = self._before = 0
        self._began = self._told = now()

    def begin(self, name: Path, frames: int, done: int) -> None:
        """A video begins; an earlier run has done some of its frames."""
        self._name, self._total, self._done, self._before = name, frames, done, done
        self._began = self._told = self._now()
        if done and not self._quiet:
            print_stamped(f"{shown(name)}: {done} frames are done already, continuing after them")

    def name_of(self, index: int) -> str:
        """The name of a frame, for a timeline. index: counted from the first that this run restores of its film."""
        return f"{self._name.name}, frame {index + self._before}"

    def frame(self) -> None:
        """One more frame is done."""
        self._done += 1
        now = self._now()
        if self._quiet or now - self._told < _INTERVAL_S:
            return
        self._told = now
        rate = (self._done - self._before) / max(1e-9, now - self._began)
        of = f" of {self._total}" if self._total else ""
        left = f", {(self._total - self._done) / rate / 60:.1f} min left" if self._total > self._done else ""
        print_stamped(f"{shown(self._name)}: {self._done}{of} frames; {rate:.1f} a second{left}")

    def end(self, row: PictureRow) -> None:
        """One video has come to its end."""
        self._book.add(row)
        if row.outcome == "failed":
            print_failure(Path(row.input), row.error)

    def stopping(self) -> None:
        """Says what happens after an interrupt. It is called in a signal handler."""
        with contextlib.suppress(RuntimeError):  # the signal came while a line was being printed
            print(_STOPPING, file=sys.stderr, flush=True)
