"""The journal's file: rows are appended one write each, and read whole. Imports no torch.

A row is one write to the end of the file, so that a process that is killed leaves whole rows, and several processes may
append. JSON Lines and not SQLite: no second writer waits, a torn line costs one row, and people can read it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path

from gpen_fast.files import STATE_FOLDER, write_file
from gpen_fast.run.journal.rows import JournalRow, parsed

JOURNAL = "journal.jsonl"
# Rows of one result that are kept when the file is rewritten: the last one, and the one before it, which tells where a
# run was killed between a row and its result.
_KEPT = 2
# The file is rewritten when it has this many rows, and most of them are older ones of the same results.
_LEAST_REWRITTEN = 2000


class JournalFile:
    """The rows of one folder of results, oldest first by result."""

    def __init__(self, home: Path) -> None:
        """Reads and writes nothing yet. home: the folder of the results."""
        self.home = home
        self.path = home / STATE_FOLDER / JOURNAL
        self._beginning = os.fspath(home) + os.sep
        self.rows: dict[str, list[JournalRow]] = {}
        """By the result's path below `home`."""
        self._descriptor: int | None = None
        self._count = 0

    def read(self) -> None:
        """Reads the rows. A missing file has none.

        Raises:
            OSError: The file is there and cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return
        # A line holds ASCII only: a byte that is none belongs to a line that holds no row.
        for line in data.decode("utf-8", "replace").split("\n"):
            if line and (row := parsed(line)):
                self._keep(row)

    def name(self, target: str | Path) -> str:
        """The name of a result in the rows."""
        text = os.fspath(target)
        if text.startswith(self._beginning):
            # What `relpath` gives, in a tenth of its time.
            return text[len(self._beginning) :].replace(os.sep, "/")
        return os.path.relpath(target, self.home).replace(os.sep, "/")

    def start(self) -> None:
        """Opens the file for appending, and makes it where there is none.

        Raises:
            OSError: It cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def append(self, rows: Iterable[JournalRow]) -> None:
        """Adds rows in one write. Safe to call from several threads.

        Raises:
            OSError: They cannot be written whole.
        """
        assert self._descriptor is not None, "start comes first"
        data = b"".join(row.line() for row in rows)
        if data and os.write(self._descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def shorten(self) -> None:
        """Rewrites a file that consists mostly of outdated rows. Only for a run that has the folder to itself.

        Raises:
            OSError: It cannot be rewritten. The old file stays.
        """
        if self._count < max(_LEAST_REWRITTEN, 2 * _KEPT * len(self.rows)):
            return
        kept = [row for rows in self.rows.values() for row in rows[-_KEPT:]]
        write_file(self.path, b"".join(row.line() for row in kept))

    def close(self) -> None:
        """Closes the file. Rows need no flush: each was handed to the system when it was written."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _keep(self, row: JournalRow) -> None:
        self.rows.setdefault(row.target, []).append(row)
        self._count += 1
