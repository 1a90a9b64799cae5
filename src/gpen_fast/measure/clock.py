"""The clock around the stages, which do not know of it.

On CUDA a stage's device time is what passes on its stream between two pooled events. They are harvested when
they are done, so that timing never waits for the device and a long run holds a bounded number of them. Only a
synchronising clock (`profile`) waits, once at each stage's end, so that host time is true wall time there.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, Self

from gpen_fast.measure.recorder import Recorder

NS_PER_MS = 1e6


class Event(Protocol):
    """What the clock needs of torch.cuda.Event."""

    def record(self) -> Any:
        """Marks the current stream's present end."""

    def query(self) -> bool:
        """Whether the stream has passed the mark."""

    def synchronize(self) -> Any:
        """Waits until it has."""

    def elapsed_time(self, end: Any) -> float:
        """Milliseconds from this mark to `end`."""


class Span:
    """One observation of one stage, made of one or more timed parts (`with span:`)."""

    def __init__(self, clock: Clock, stage: str, items: int, pair: tuple[Event, Event] | None) -> None:
        self.stage = stage
        self.items = items
        self.pair = pair
        self._ns = 0
        self._started = 0
        self._parts = 0
        self._clock = clock

    @property
    def host_ms(self) -> float:
        """Wall time inside the parts so far."""
        return self._ns / NS_PER_MS

    def __enter__(self) -> Self:
        self._started = self._clock.now()
        if self.pair and self._parts == 0:
            self.pair[0].record()
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is not None:
            # It is not recorded, and a device that has failed would hide its error behind another.
            return
        # Later parts wait for the device's answer; the work itself ends with the first.
        if self.pair and self._parts == 0:
            self.pair[1].record()
        self._clock.wait()
        self._parts += 1
        self._ns += self._clock.now() - self._started


class Clock:
    """Times spans into a recorder. Safe to use from several threads.

    now: nanoseconds of a monotonic clock. make_event: how to make a device event, None where there is no
    device. wait: run at the end of each part; `profile` waits for the stream there.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        now: Callable[[], int] = time.perf_counter_ns,
        make_event: Callable[[], Event] | None = None,
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self.recorder = recorder
        self.now = now
        self.wait = wait
        self._make_event = make_event
        self._free: list[tuple[Event, Event]] = []
        self._pending: deque[Span] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def span(self, stage: str, *, items: int = 1, on_device: bool = True) -> Iterator[Span]:
        """Times the block as one observation; one that raises is not recorded."""
        span = self.open(stage, items=items, on_device=on_device)
        try:
            with span:
                yield span
        except BaseException:
            self.drop(span)
            raise
        self.close(span)

    def open(self, stage: str, *, items: int = 1, on_device: bool = True) -> Span:
        """A span to be timed in parts and closed."""
        return Span(self, stage, items, self._take() if on_device and self._make_event else None)

    def close(self, span: Span) -> None:
        """Records the span, its device time as soon as it is known."""
        with self._lock:
            self.recorder.add_host(span.stage, span.host_ms, span.items)
            if span.pair:
                self._pending.append(span)
            self._harvest()

    def drop(self, span: Span) -> None:
        """Gives the span's events back without recording it."""
        with self._lock:
            if span.pair:
                self._free.append(span.pair)

    def finish(self) -> None:
        """Waits for the last events and harvests them: the only wait of an `enhance` run."""
        with self._lock:
            for span in self._pending:
                if span.pair:
                    span.pair[1].synchronize()
            self._harvest()

    def _take(self) -> tuple[Event, Event]:
        with self._lock:
            if self._free:
                return self._free.pop()
        assert self._make_event is not None
        return self._make_event(), self._make_event()

    def _harvest(self) -> None:
        """Several streams end in any order, so each pending span is asked once."""
        waiting = len(self._pending)
        for _ in range(waiting):
            span = self._pending.popleft()
            if span.pair and span.pair[1].query():
                self.recorder.add_device(span.stage, span.pair[0].elapsed_time(span.pair[1]))
                self._free.append(span.pair)
            else:
                self._pending.append(span)
