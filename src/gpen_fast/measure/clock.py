"""The clock around the stages, which do not know that they are timed.

On CUDA a stage's device time is the time between two pooled events on its stream. Finished events are harvested, so
timing never waits for the device, and a long run holds a bounded number of them. Only a synchronising clock (`profile`)
waits, once at the end of each part, so that there host time is true wall time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from gpen_fast.measure.device_time import DeviceTimeline, Event
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.spans import NS_PER_MS, RecordedSpan, RecordedWait

# Shorter waits, 0.1 ms, are not worth a slice of a timeline.
_SHORTEST_WAIT_NS = 100_000


class Span:
    """One call of one stage while it is timed, in one or more parts (`with span:`)."""

    def __init__(
        self,
        clock: Clock,
        stage: str,
        items: int,
        pair: tuple[Event, Event] | None,
        pictures: tuple[int, ...] = (),
    ) -> None:
        self.stage = stage
        self.items = items
        self.pair = pair
        self.pictures = pictures
        self._clock = clock
        self._thread = threading.current_thread().name
        self._part_ns = 0
        self._host_ns = 0
        self._parts: list[tuple[int, int]] = []

    @property
    def host_ms(self) -> float:
        """Wall time inside the parts so far."""
        return self._host_ns / NS_PER_MS

    def recorded(self) -> RecordedSpan:
        """The span as the recorder keeps it."""
        parts = tuple(self._parts)
        return RecordedSpan(
            self.stage,
            parts[0][0],
            parts[-1][1],
            self._thread,
            self.items,
            self._host_ns,
            pictures=self.pictures,
            parts=parts if len(parts) > 1 else (),
        )

    def __enter__(self) -> Self:
        self._part_ns = self._clock.now()
        if self.pair and not self._parts:
            self.pair[0].record()
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is not None:
            # A span that fails is not recorded; and on a failed device, one more call would raise an error of its own
            # that hides the first.
            return
        # The device's work ends with the first part: later parts only wait for its answer.
        if self.pair and not self._parts:
            self.pair[1].record()
        self._clock.wait()
        end_ns = self._clock.now()
        self._parts.append((self._part_ns, end_ns))
        self._host_ns += end_ns - self._part_ns


class Clock:
    """Times spans into a recorder. Several threads may use it at once.

    Args:
        recorder: Receives each closed span.
        now: Gives nanoseconds on a monotonic scale.
        make_event: Makes a device event; None where there is no device to time.
        wait: Is called at the end of each part. `profile` waits for the stream there.
        timeline: Finds when calls ran on the device; None where no timeline is written.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        now: Callable[[], int] = time.perf_counter_ns,
        make_event: Callable[[], Event] | None = None,
        wait: Callable[[], None] = lambda: None,
        timeline: DeviceTimeline | None = None,
    ) -> None:
        self.recorder = recorder
        self.now = now
        self.wait = wait
        self._make_event = make_event
        self._timeline = timeline
        self._free: list[tuple[Event, Event]] = []
        self._pending: deque[tuple[RecordedSpan, tuple[Event, Event]]] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def span(
        self, stage: str, *, items: int = 1, on_device: bool = True, pictures: tuple[int, ...] = ()
    ) -> Iterator[Span]:
        """Times the block as one call of a stage. A block that raises is not recorded.

        Args:
            stage: The stage's name.
            items: Pictures or faces that go through.
            on_device: Whether the block queues work on the device's current stream.
            pictures: Positions of the pictures in the input of the run.
        """
        span = self.open(stage, items=items, on_device=on_device, pictures=pictures)
        try:
            with span:
                yield span
        except BaseException:  # broad: an interrupt, too, must give the events back
            self.drop(span)
            raise
        self.close(span)

    def open(
        self, stage: str, *, items: int = 1, on_device: bool = True, pictures: tuple[int, ...] = ()
    ) -> Span:
        """A span that the caller times in parts, then passes to `close` or `drop`."""
        return Span(self, stage, items, self._take() if on_device and self._make_event else None, pictures)

    def waited(self, cause: str, start_ns: int, end_ns: int) -> None:
        """Notes that the calling thread has waited, for a timeline.

        Args:
            cause: What it waited for: see `RecordedWait`.
            start_ns: When the wait began, by `now`.
            end_ns: When it ended.
        """
        if end_ns - start_ns >= _SHORTEST_WAIT_NS:
            self.recorder.add_wait(RecordedWait(cause, start_ns, end_ns, threading.current_thread().name))

    def close(self, span: Span) -> None:
        """Records the span; its device time follows once the device has passed its end."""
        recorded = span.recorded()
        with self._lock:
            self.recorder.add(recorded)
            if span.pair:
                self._pending.append((recorded, span.pair))
            self._harvest()

    def drop(self, span: Span) -> None:
        """Gives the span's events back without recording it."""
        with self._lock:
            if span.pair:
                self._free.append(span.pair)

    def finish(self) -> None:
        """Waits for the last events and harvests them: the only wait of an `enhance` run."""
        with self._lock:
            for _, (_, end) in self._pending:
                end.synchronize()
            self._harvest()

    def _take(self) -> tuple[Event, Event]:
        with self._lock:
            if self._free:
                return self._free.pop()
        assert self._make_event is not None
        return self._make_event(), self._make_event()

    def _harvest(self) -> None:
        """Asks each pending span once, not only the oldest: streams finish in any order."""
        for _ in range(len(self._pending)):
            recorded, pair = self._pending.popleft()
            start, end = pair
            if end.query():
                place = self._timeline.place(start, end, recorded.start_ns) if self._timeline else None
                self.recorder.add_device(recorded, start.elapsed_time(end), place)
                self._free.append((self._timeline.anchored(start) if self._timeline else start, end))
            else:
                self._pending.append((recorded, pair))
