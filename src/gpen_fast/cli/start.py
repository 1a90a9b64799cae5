"""The program's first lines: from here on Ctrl-C and SIGTERM are answered, before anything slow is imported."""

from __future__ import annotations

import atexit
import signal

from gpen_fast.cli.signals import SIGNALS, end_at_once


def run_program() -> None:
    """Runs the command line as a process of its own.

    Raises:
        SystemExit: As `gpen_fast.cli.app.main`.
    """
    for number in SIGNALS:
        signal.signal(number, end_at_once)
    # What comes after the work, when Python takes itself apart, no longer changes the exit status.
    atexit.register(_ignore_signals)
    from gpen_fast.cli.app import main
    from gpen_fast.cli.restart import own_process

    own_process.set()
    main()


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
