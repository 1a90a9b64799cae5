"""Signal handlers for every moment outside a run: they end the process with one sentence. Imports nothing slow."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130
# Ctrl-C, and what `kill`, a service manager or a batch system sends.
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SENTENCE = "interrupted: what was finished is kept"
_SHOW_CURSOR = "\x1b[?25h"


def end_at_once(number: int, frame: FrameType | None) -> None:
    """Ends the process with one sentence and exit status 130: the handler for every moment outside a run.

    It raises nothing. An exception would come out of whatever line runs at this moment, and the imports of NumPy,
    torch and OpenCV catch exceptions of every kind: the program would go on, or end in a traceback. Files appear whole
    or not at all at every moment, so there is nothing to put in order.
    """
    # A second one ends the process even if the lines below have to wait.
    signal.signal(number, signal.SIG_DFL)
    _print_sentence()
    # It may be closed, or the signal came while it was being written to.
    with contextlib.suppress(OSError, RuntimeError, ValueError, AttributeError):
        sys.stdout.flush()
    os._exit(INTERRUPTED)


def end_in_order(number: int, frame: FrameType | None) -> None:
    """Raises SystemExit with status 130, so that a run removes its temporary files; the next signal ends it at once."""
    signal.signal(number, end_at_once)
    sys.exit(INTERRUPTED)


def _print_sentence() -> None:
    """Writes to the file descriptor: the signal may have come while `sys.stderr` was being written to."""
    text = f"{_SENTENCE}\n"
    if os.isatty(2):
        # After the ^C that a terminal shows. A progress bar may have hidden the cursor.
        text = f"{'' if os.environ.get('TERM') == 'dumb' else _SHOW_CURSOR}\n{text}"
    with contextlib.suppress(OSError):  # it is closed
        os.write(2, text.encode())
