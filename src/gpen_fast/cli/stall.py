"""Ends a run in which a worker hangs: `--stall-timeout`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpen_fast.run.watchdog import Watchdog

_FAILED = 1


@contextlib.contextmanager
def watched(limit_s: float | None, at_end: Callable[[], None] = lambda: None) -> Iterator[Watchdog | None]:
    """Ends the process if a worker hangs inside the block.

    Args:
        limit_s: Seconds that one step of one picture may take; None: any time.
        at_end: Is called before the process is ended.

    Yields:
        What the workers tell what they do; None where nothing is watched.
    """
    if limit_s is None:
        yield None
        return
    from gpen_fast.run.watchdog import Watchdog

    def end(sentence: str) -> None:
        at_end()
        _end(sentence)

    watchdog = Watchdog(limit_s, end)
    with watchdog.watching():
        yield watchdog


def _end(sentence: str) -> None:
    """Ends the process: a thread that waits for the system cannot be stopped."""
    text = f"\n{sentence} (--stall-timeout): stopped. What is finished is kept; the same command continues after it.\n"
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, text.encode(errors="backslashreplace"))
    os._exit(_FAILED)
