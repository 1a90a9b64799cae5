"""Where the row of each input goes: the log and the JSON. Imports no torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.log_file import LogFile, log_file

if TYPE_CHECKING:
    from gpen_fast.measure.export.row_store import RowStore
    from gpen_fast.measure.report_rows import PictureRow


class RowBook:
    """Takes the rows of a run, in the order in which its inputs come to their end."""

    def __init__(self, log: LogFile | None, store: RowStore | None) -> None:
        """log: of --log. store: keeps the rows for --json. None where the flag was not given."""
        self.log = log
        self._store = store
        self.failed = 0

    def add(self, row: PictureRow) -> None:
        """Takes one row."""
        self.failed += row.outcome == "failed"
        if self.log:
            self.log.add(row)
        if self._store:
            self._store.add(row)

    def add_undone(self, rows: Iterable[PictureRow]) -> None:
        """Takes the rows of pictures that are not done: they are for the JSON alone, since the log holds what was."""
        if self._store:
            for row in rows:
                self._store.add(row)

    def lines(self) -> Iterator[str]:
        """Every row as one line of JSON; none where no JSON was asked for."""
        return self._store.lines() if self._store else iter(())


@contextlib.contextmanager
def row_book(run: RunOptions) -> Iterator[RowBook]:
    """The book of a run, for as long as the block runs.

    Raises:
        InputsError: The log cannot be opened.
    """
    # A dry run restores nothing: it leaves no line in a log.
    path = None if run.dry_run else run.log
    with log_file(path, run.log_format) as log:
        yield RowBook(log, _store() if run.json_file else None)


def _store() -> RowStore:
    from gpen_fast.measure.export.row_store import RowStore

    return RowStore()
