"""When work ran on a device, on the host's clock: its events only tell how far two of them are apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self

from gpen_fast.measure.spans import NS_PER_MS, DevicePlace

# Milliseconds from the anchor. CUDA gives elapsed times as float32, which near this holds a microsecond; after an hour
# it would hold a quarter of a millisecond.
_MOST_FROM_ANCHOR_MS = 10_000.0


class Event(Protocol):
    """What the clock needs of torch.cuda.Event."""

    def record(self) -> object:
        """Marks the present end of the current stream."""

    def query(self) -> bool:
        """Whether the stream has passed the mark."""

    def synchronize(self) -> object:
        """Waits until the stream has passed the mark."""

    def elapsed_time(self, end: Self) -> float:
        """Milliseconds from this mark to `end`."""


class DeviceTimeline:
    """Places pairs of events on the host's clock, by an event whose time on that clock is known.

    The anchor moves on every ten seconds. Both clocks drift apart by some millionths; so that this does not add up, a
    place is moved where it contradicts what the host knows: work does not begin before the host has queued it, and an
    event that was passed does not lie in the future.
    """

    def __init__(self, device: str, make_event: Callable[[], Event], now: Callable[[], int]) -> None:
        """Waits once for the device, so that the anchor's time is known.

        Args:
            device: The device's name, as cuda:0.
            make_event: Makes a timing event on the device's current stream.
            now: Gives nanoseconds on the host's monotonic scale.
        """
        self._device = device
        self._now = now
        self._anchor = make_event()
        self._anchor.record()
        self._anchor.synchronize()
        self._anchor_ns = now()
        self._last_end_ns = 0

    def place(self, start: Event, end: Event, queued_ns: int) -> DevicePlace:
        """When the work between two events ran.

        Args:
            start: The event before the work. The device has passed both.
            end: The event after it.
            queued_ns: When the host was about to queue `start`.

        Returns:
            The place. Places that are asked for in the order of one stream do not overlap, not even by the last digit
            of an elapsed time.
        """
        started = self._at(start)
        if started < queued_ns:
            self._anchor_ns += queued_ns - started
        late = self._at(end) - self._now()
        if late > 0:
            self._anchor_ns -= late
        began = max(self._at(start), self._last_end_ns)
        self._last_end_ns = max(began, self._at(end))
        return DevicePlace(self._device, began, self._last_end_ns)

    def anchored(self, start: Event) -> Event:
        """Makes an event that was placed the anchor, if the present one is long ago.

        Returns:
            The event that may be recorded anew: `start`, or the old anchor.
        """
        if self._anchor.elapsed_time(start) < _MOST_FROM_ANCHOR_MS:
            return start
        self._anchor_ns = self._at(start)
        freed, self._anchor = self._anchor, start
        return freed

    def _at(self, event: Event) -> int:
        return self._anchor_ns + round(self._anchor.elapsed_time(event) * NS_PER_MS)
