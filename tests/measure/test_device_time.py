"""Device times on the host's clock, with events and clocks that are set by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.device_time import DeviceTimeline
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.spans import DevicePlace, RecordedSpan, RecordedWait

MS = 1_000_000


class Clocks:
    """The host's clock in nanoseconds, and how far a device's stream is, in milliseconds of its own clock."""

    def __init__(self, host_ns: int = 0, device_ms: float = 0.0) -> None:
        self.host_ns = host_ns
        self.device_ms = device_ms

    def now(self) -> int:
        return self.host_ns

    def event(self) -> At:
        return At(self)


@dataclass(eq=False)
class At:
    clocks: Clocks
    ms: float = -1.0

    def record(self) -> None:
        self.ms = self.clocks.device_ms

    def query(self) -> bool:
        return True

    def synchronize(self) -> None:
        """Passed at once."""

    def elapsed_time(self, end: At) -> float:
        return end.ms - self.ms


class Places:
    """A sink that keeps the places of device calls."""

    def __init__(self) -> None:
        self.places: list[tuple[str, DevicePlace]] = []

    def span(self, span: RecordedSpan) -> None:
        """Not needed."""

    def device_span(self, span: RecordedSpan, place: DevicePlace) -> None:
        self.places.append((span.stage, place))

    def wait(self, wait: RecordedWait) -> None:
        """Not needed."""


def pair(clocks: Clocks, start_ms: float, end_ms: float) -> tuple[At, At]:
    return At(clocks, start_ms), At(clocks, end_ms)


def test_work_lies_where_the_device_did_it_not_where_the_host_queued_it() -> None:
    clocks = Clocks(host_ns=500 * MS, device_ms=7000.0)
    timeline = DeviceTimeline("cuda:0", clocks.event, clocks.now)
    clocks.host_ns += 100 * MS
    start, end = pair(clocks, 7020.0, 7050.0)
    assert timeline.place(start, end, 501 * MS) == DevicePlace("cuda:0", 520 * MS, 550 * MS)


def test_places_of_one_stream_do_not_overlap_by_a_digit() -> None:
    clocks = Clocks()
    timeline = DeviceTimeline("cuda:0", clocks.event, clocks.now)
    clocks.host_ns = 100 * MS
    first = timeline.place(*pair(clocks, 1.0, 2.0000004), 0)
    second = timeline.place(*pair(clocks, 2.0, 3.0), 0)
    assert second.start_ns == first.end_ns


def test_a_drift_of_the_clocks_is_put_right_by_what_the_host_knows() -> None:
    clocks = Clocks()
    timeline = DeviceTimeline("cuda:0", clocks.event, clocks.now)
    clocks.host_ns = 1000 * MS
    # The device's clock is 3 ms behind: without a correction the work would begin before it was queued.
    late = timeline.place(*pair(clocks, 497.0, 500.0), 500 * MS)
    assert (late.start_ns, late.end_ns) == (500 * MS, 503 * MS)
    # Now it would end 7 ms in the future.
    early = timeline.place(*pair(clocks, 990.0, 1004.0), 0)
    assert (early.start_ns, early.end_ns) == (986 * MS, 1000 * MS)


def test_the_anchor_moves_on_and_frees_an_event() -> None:
    clocks = Clocks()
    timeline = DeviceTimeline("cuda:0", clocks.event, clocks.now)
    clocks.host_ns = 60_000 * MS
    for at in (5000.0, 15_000.0, 26_000.0):
        start, end = pair(clocks, at, at + 1)
        place = timeline.place(start, end, 0)
        freed = timeline.anchored(start)
        assert (place.start_ns, place.end_ns) == (round(at * MS), round((at + 1) * MS))
        assert (freed is start) == (at == 5000.0), "the anchor's event is not recorded anew"


def test_a_clock_hands_each_device_call_on_once_it_is_over() -> None:
    clocks, sink = Clocks(), Places()
    timeline = DeviceTimeline("cuda:1", clocks.event, clocks.now)
    clock = Clock(Recorder(sink=sink), now=clocks.now, make_event=clocks.event, timeline=timeline)
    for stage in ("crop", "generate"):
        with clock.span(stage):
            clocks.device_ms += 4.0
            clocks.host_ns += 6 * MS
    clock.finish()
    assert [stage for stage, _ in sink.places] == ["crop", "generate"]
    (_, crop), (_, generate) = sink.places
    assert (crop.start_ns, crop.end_ns, crop.device) == (0, 4 * MS, "cuda:1")
    assert generate.start_ns == 6 * MS, "not before the host has queued it"
    assert clock.recorder.series["generate"].device.total == pytest.approx(4.0)
