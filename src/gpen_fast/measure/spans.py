"""What is kept of a stage's calls: exact running figures of all, and a bounded sample of the calls themselves."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gpen_fast.measure.stats import RunningStats, Summary

NS_PER_MS = 1e6
# Calls that are kept of each stage. Percentiles are exact up to this many; beyond, the p95 of the sample lies between
# the run's 94.0th and 96.0th percentile with a probability of 99.7 % (three standard errors of a binomial, 0.34 %
# each). Seven stages of as many spans take about 6 MB.
SPANS_KEPT = 4096

Value = TypeVar("Value")


@dataclass(slots=True)
class RecordedSpan:
    """One call of one stage."""

    stage: str
    """The stage's name."""
    start_ns: int
    """When its first part began, on the clock's own monotonic scale."""
    end_ns: int
    """When its last part ended."""
    thread: str
    """Name of the thread that began it: the lane in which a timeline draws it."""
    items: int
    """Pictures or faces that went through."""
    host_ns: int
    """Wall time inside its parts: less than `end_ns - start_ns` where other work ran between two parts."""
    device_ms: float | None = None
    """Time between its two events on the device's stream. None without device work, and until the device is there."""
    pictures: tuple[int, ...] = ()
    """Positions, in the input of the run, of the pictures that went through, or whose faces did."""
    parts: tuple[tuple[int, int], ...] = ()
    """When each part began and ended, of a call that was timed in several; empty for one part."""
    process: str = ""
    """Name of the child process that ran it; empty for the program's own."""

    @property
    def host_ms(self) -> float:
        """Wall time inside its parts."""
        return self.host_ns / NS_PER_MS


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Where and when a call ran on a device."""

    device: str
    """The device's name, as cuda:0."""
    start_ns: int
    """When its work began, on the host's clock."""
    end_ns: int
    """When its work ended."""


@dataclass(frozen=True, slots=True)
class RecordedWait:
    """A time in which a worker had nothing to do."""

    cause: str
    """What it waited for: the stage of readers (load) or of writers (save), or `pictures` to be given to it."""
    start_ns: int
    """When it began, on the clock's own monotonic scale."""
    end_ns: int
    """When it ended."""
    thread: str
    """Name of the thread that waited."""
    process: str = ""
    """Name of the child process that waited; empty for the program's own."""


class SpanSink(Protocol):
    """Is told of each call when it has ended: a timeline. Several threads may tell it at once."""

    def span(self, span: RecordedSpan) -> None:
        """A call has ended on the host."""

    def device_span(self, span: RecordedSpan, place: DevicePlace) -> None:
        """The device has passed the end of a call."""

    def wait(self, wait: RecordedWait) -> None:
        """A worker has waited."""


class Reservoir(Generic[Value]):
    """A uniform sample of a stream in bounded memory: each value has the same chance to be in it.

    Algorithm R (Vitter, ACM TOMS 11, 1985): the n-th value replaces a random one with probability capacity / n.
    """

    def __init__(self, capacity: int, rng: random.Random) -> None:
        self._capacity = capacity
        self._rng = rng
        self._kept: list[Value] = []
        self.seen = 0

    @property
    def complete(self) -> bool:
        """Whether every value is still in the sample."""
        return self.seen <= self._capacity

    def add(self, value: Value) -> None:
        """Takes a value into the sample, or leaves it out."""
        self.seen += 1
        if len(self._kept) < self._capacity:
            self._kept.append(value)
            return
        place = self._rng.randrange(self.seen)
        if place < self._capacity:
            self._kept[place] = value

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Value]:
        return iter(self._kept)


class CallTimes:
    """Exact figures of one kind of time, milliseconds, of the first call and of the others apart."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.all = RunningStats()
        self.later = RunningStats()

    @property
    def count(self) -> int:
        """Calls with such a time."""
        return self.all.count

    @property
    def total(self) -> float:
        """Their sum."""
        return self.all.total

    def add(self, ms: float, *, first: bool) -> None:
        """Counts one call's time."""
        self.all.add(ms)
        if first:
            self.first = ms
        else:
            self.later.add(ms)


class Series:
    """The calls of one stage."""

    def __init__(self, capacity: int = SPANS_KEPT, rng: random.Random | None = None) -> None:
        self.host = CallTimes()
        self.device = CallTimes()
        self.items = 0
        self._first: RecordedSpan | None = None
        self._later: Reservoir[RecordedSpan] = Reservoir(capacity, rng or random.Random())

    @property
    def count(self) -> int:
        """All calls."""
        return self.host.count

    @property
    def spans(self) -> list[RecordedSpan]:
        """The first call, then those of the others that are in the sample: all of them in a short run."""
        return [self._first, *self._later] if self._first else []

    def add(self, span: RecordedSpan) -> None:
        """Counts one call; its device time comes later, by `add_device`."""
        self.host.add(span.host_ms, first=self._first is None)
        self.items += span.items
        if self._first is None:
            self._first = span
        else:
            self._later.add(span)

    def add_device(self, span: RecordedSpan, ms: float) -> None:
        """Adds the device time of a call that was counted before."""
        span.device_ms = ms
        self.device.add(ms, first=span is self._first)

    def host_summary(self, *, first_apart: bool = False) -> Summary | None:
        """Host times of all calls, or of all but the first unless there are no others; None without calls."""
        return self._summary(self.host, [(span, span.host_ms) for span in self.spans], first_apart)

    def device_summary(self, *, first_apart: bool = False) -> Summary | None:
        """Device times, likewise; None where the stage does no device work."""
        times = [(span, span.device_ms) for span in self.spans if span.device_ms is not None]
        return self._summary(self.device, times, first_apart)

    def _summary(
        self, times: CallTimes, sample: list[tuple[RecordedSpan, float]], first_apart: bool
    ) -> Summary | None:
        later = [ms for span, ms in sample if span is not self._first]
        if first_apart and later:
            return times.later.summary(later)
        # The first call is always kept. In a sample of many calls it would count more than the others.
        return times.all.summary([ms for _, ms in sample] if self._later.complete or not later else later)
