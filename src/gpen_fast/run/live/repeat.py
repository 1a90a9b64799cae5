"""A video that plays again and again, as one source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from gpen_fast.video.live.source import Arrival, LiveSource


class RepeatedSource:
    """Plays a source again when it ends: frames are numbered on, and their times go on."""

    def __init__(self, open_again: Callable[[], LiveSource]) -> None:
        """Opens it for the first time.

        Args:
            open_again: Opens it.
        """
        self._open = open_again
        self._source = open_again()
        self._closed = False
        self.facts = self._source.facts

    @property
    def lost(self) -> str:
        """Why it ended early, as a sentence; empty where it did not."""
        return self._source.lost

    def __iter__(self) -> Iterator[Arrival]:
        """The frames as they come, until `close`, or until it is lost."""
        number, begin = 0, 0
        while not self._closed:
            first = end = None
            for arrival in self._source:
                decoded = arrival.decoded
                first = decoded.pts if first is None else first
                pts = begin + decoded.pts - first
                end = pts + (decoded.duration or self._duration())
                yield replace(arrival, decoded=replace(decoded, index=number, pts=pts))
                number += 1
            if end is None or self._closed or self._source.lost:
                return
            begin = end
            self._source.close()
            self._source = self._open()
            if self._closed:  # between the two lines above
                self._source.close()

    def close(self) -> None:
        """Ends the iteration within a second; from any thread."""
        self._closed = True
        self._source.close()

    def _duration(self) -> int:
        """How long a frame is shown that does not say it, in the stream's time base."""
        return max(1, round(1 / (self.facts.rate * self.facts.time_base)))


def repeated(open_again: Callable[[], LiveSource], seconds: float | None) -> LiveSource:
    """A source that plays once; or again and again, if its run is to take so many seconds.

    Args:
        open_again: Opens it.
        seconds: None: it plays once.
    """
    return open_again() if seconds is None else RepeatedSource(open_again)
