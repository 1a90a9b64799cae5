"""The journal of a run on the command line, and the one new start after the device has failed."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from gpen_fast.errors import DeviceError, first_line
from gpen_fast.settings import OutputOptions

if TYPE_CHECKING:
    from gpen_fast.run.journal.book import JournalBook
    from gpen_fast.run.journal.keys import SettingsKeys

# Nanoseconds since 1970 at which the process began that started this one anew. There is no second new start.
RESTARTED = "GPEN_FAST_RESTARTED"


def opened_journal(keys: SettingsKeys, output: OutputOptions, *, dry_run: bool) -> JournalBook:
    """The journal for this run, for the plan to open.

    Args:
        keys: The keys of the run's settings.
        output: How results are written.
        dry_run: Nothing is locked or written.
    """
    from gpen_fast.run.journal.book import JournalBook

    return JournalBook(keys, output, dry_run=dry_run, redone_since_ns=_restarted_ns())


def start_again(error: DeviceError, began_ns: int) -> None:
    """Replaces this process by a new one with the same arguments: after most failures of a GPU only that helps.

    Finished results are in the journal, so the new process continues after them. Returns where this process is the
    new one already, or cannot be replaced.

    Args:
        error: How the device failed.
        began_ns: When this run began, nanoseconds since 1970.
    """
    if _restarted_ns() or not sys.executable:
        return
    print(f"{first_line(error)} Starting once more after the finished pictures.", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os.environ[RESTARTED] = str(began_ns)
    arguments = [sys.executable, *sys.orig_argv[1:]]
    try:
        os.execv(sys.executable, arguments)
    except OSError:
        return


def now_ns() -> int:
    """Nanoseconds since 1970."""
    return time.time_ns()


def _restarted_ns() -> int:
    text = os.environ.get(RESTARTED, "")
    return int(text) if text.isdecimal() else 0
