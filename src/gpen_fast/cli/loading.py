"""The seconds before the first picture: what is being loaded is said, step by step."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from gpen_fast.cli.failures import error_console
from gpen_fast.cli.progress import print_stamped

_FIRST = "loading PyTorch"


class _Steps(logging.Handler):
    """Hands each record of the package's logger on as text."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        super().__init__(logging.INFO)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tells one step."""
        self._tell(record.getMessage())


@contextlib.contextmanager
def loading(quiet: bool, first: str = _FIRST) -> Iterator[None]:
    """Says on standard error what the block loads: in a terminal one line that is replaced, elsewhere a line each.

    Args:
        quiet: Says nothing.
        first: The first thing that it says.
    """
    if quiet:
        yield
        return
    console = error_console()
    if not console.is_terminal:
        with _told(print_stamped, first):
            yield
        return
    with console.status(first) as status, _told(status.update, first):
        yield


@contextlib.contextmanager
def _told(tell: Callable[[str], object], first: str) -> Iterator[None]:
    logger, steps = logging.getLogger("gpen_fast"), _Steps(tell)
    level = logger.level
    logger.addHandler(steps)
    logger.setLevel(logging.INFO)
    tell(first)
    try:
        yield
    finally:
        logger.removeHandler(steps)
        logger.setLevel(level)
