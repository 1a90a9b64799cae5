"""Times of frames that come from elsewhere: never backwards, whatever the sender's clock does."""

from __future__ import annotations

import av

from gpen_fast.video.facts import StreamFacts

# Seconds by which the time may go forward from one frame to the next; more is another clock, as after a new start.
_GAP_S = 10.0


class SteadyTimes:
    """Numbers that increase, in the stream's time base."""

    def __init__(self, facts: StreamFacts) -> None:
        """Args:
        facts: The stream.
        """
        self._base = facts.time_base
        self._step = max(1, round(1 / (facts.rate * facts.time_base)))
        self._first: int | None = None
        self._last = 0
        self._shift = 0

    @property
    def seconds(self) -> float:
        """From the first frame's beginning to the last one's end."""
        return 0.0 if self._first is None else float((self._last + self._step - self._first) * self._base)

    def next(self, frame: av.VideoFrame) -> int:
        """The time of the next frame: its own, shifted where the sender's clock went back or leapt."""
        if self._first is None:
            self._first = self._last = self._units(frame) or 0
            return self._last
        due = self._last + self._step
        own = self._units(frame)
        pts = due if own is None else own + self._shift
        if pts <= self._last or (pts - self._last) * self._base > _GAP_S:
            self._shift += due - pts
            pts = due
        self._last = pts
        return pts

    def duration(self, frame: av.VideoFrame) -> int:
        """How long a frame is shown; 0 where it does not say."""
        ratio = frame.time_base / self._base if frame.time_base else 1
        return round((frame.duration or 0) * ratio)

    def _units(self, frame: av.VideoFrame) -> int | None:
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None:
            return None
        return round(stamp * frame.time_base / self._base) if frame.time_base else stamp
