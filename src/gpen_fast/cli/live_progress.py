"""How a live run shows how it goes: one line that changes in a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gpen_fast.cli.failures import error_console
from gpen_fast.cli.progress import print_stamped

if TYPE_CHECKING:
    from gpen_fast.run.live.tally import LiveTally

# Seconds between two lines, and between two changes of the line in a terminal.
_LINES_S, _CHANGES_S = 5.0, 0.25
_STOPPING = "stopping: the frames under way are handed out; Ctrl-C again stops at once"


class LiveLines:
    """Tells the present step, rate, latency and drops."""

    def __init__(
        self, tell: Callable[[str], object], interval_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Tells nothing yet.

        Args:
            tell: Shows a line.
            interval_s: Seconds between two lines.
            now: Seconds on a monotonic scale.
        """
        self._tell, self._interval_s, self._now = tell, interval_s, now
        self._told = now()
        self._stops = False

    def frame(self, tally: LiveTally) -> None:
        """One more frame was handed out."""
        if self._now() - self._told >= self._interval_s and not self._stops:
            self._told = self._now()
            self._tell(live_line(tally))

    def stopping(self) -> None:
        """Says what happens after an interrupt. It is called in a signal handler."""
        self._stops = True
        with contextlib.suppress(RuntimeError):  # the signal came while a line was being printed
            print(_STOPPING, file=sys.stderr, flush=True)


def live_line(tally: LiveTally) -> str:
    """How a run goes, in one line."""
    fps, latency = tally.present()
    of_all = 100 * tally.dropped / max(1, tally.dropped + tally.delivered)
    return (
        f"{tally.step} | {fps:.1f} frames a second | latency {1e3 * latency:.0f} ms | "
        f"{tally.dropped} dropped ({of_all:.1f} %)"
    )


@contextlib.contextmanager
def live_progress(quiet: bool) -> Iterator[LiveLines]:
    """Shows on standard error how the block goes.

    Args:
        quiet: Says nothing.
    """
    console = error_console()
    if quiet:
        yield LiveLines(lambda text: None, _LINES_S)
    elif not console.is_terminal:
        yield LiveLines(print_stamped, _LINES_S)
    else:
        with console.status("waiting for the first frame") as status:
            yield LiveLines(status.update, _CHANGES_S)
