"""A picture's dates on its result."""

from __future__ import annotations

import os
from pathlib import Path

from gpen_fast.errors import reason

# Last access and last change, nanoseconds since 1970.
Dates = tuple[int, int]


def dates_of(path: Path) -> Dates:
    """The dates of a file, links followed. Raises OSError where it is gone."""
    status = path.stat()
    return status.st_atime_ns, status.st_mtime_ns


def give_dates(path: Path, dates: Dates) -> str:
    """Gives a file these dates.

    Args:
        path: The file.
        dates: As `dates_of` returns them.

    Returns:
        A note where the file system refuses: the result itself is whole.
    """
    try:
        os.utime(path, ns=dates)
    except OSError as error:
        return f"its date could not be kept ({reason(error, path)})."
    return ""
