"""The clock, under a fake one."""

from __future__ import annotations

import threading

import pytest
import torch

from gpen_fast.device.events import event_maker
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.spans import Series


class FakeTime:
    """Host time in nanoseconds and device time in milliseconds, both moved by hand."""

    def __init__(self) -> None:
        self.host = 0
        self.device = 0.0
        self.reached = 0.0
        self.events = 0
        self.synchronised = 0

    def now(self) -> int:
        return self.host

    def work(self, host_ms: float, device_ms: float = 0.0) -> None:
        self.host += int(host_ms * 1e6)
        self.device += device_ms

    def event(self) -> FakeEvent:
        self.events += 1
        return FakeEvent(self)


class FakeEvent:
    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.at = -1.0

    def record(self) -> None:
        self.at = self.time.device

    def query(self) -> bool:
        return self.at <= self.time.reached

    def synchronize(self) -> None:
        self.time.synchronised += 1
        self.time.reached = max(self.time.reached, self.at)

    def elapsed_time(self, end: FakeEvent) -> float:
        assert self.query(), "asked before the device was there"
        assert end.query(), "asked before the device was there"
        return end.at - self.at


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def host_times(series: Series) -> list[float]:
    return [span.host_ms for span in series.spans]


def device_times(series: Series) -> list[float]:
    return [span.device_ms for span in series.spans if span.device_ms is not None]


def device_clock(time: FakeTime) -> Clock:
    return Clock(Recorder(), now=time.now, make_event=time.event)


def test_host_time_without_a_device(time: FakeTime) -> None:
    clock = Clock(Recorder(), now=time.now)
    with clock.span("load") as span:
        time.work(12.5)
    series = clock.recorder.series["load"]
    assert host_times(series) == [12.5]
    assert span.host_ms == 12.5
    assert series.device_summary() is None


def test_device_time_is_between_the_events_and_never_waited_for(time: FakeTime) -> None:
    clock = device_clock(time)
    with clock.span("generate", items=4):
        time.work(1, device_ms=30)
    assert device_times(clock.recorder.series["generate"]) == []
    time.reached = 30
    with clock.span("paste"):
        time.work(1, device_ms=2)
    assert device_times(clock.recorder.series["generate"]) == [30]
    assert clock.recorder.series["generate"].items == 4
    assert time.synchronised == 0
    clock.finish()
    assert device_times(clock.recorder.series["paste"]) == [2]


def test_stage_without_device_work_takes_no_events(time: FakeTime) -> None:
    clock = device_clock(time)
    with clock.span("align", on_device=False):
        time.work(1)
    assert time.events == 0


def test_hundred_thousand_spans_hold_a_bounded_number_of_events(time: FakeTime) -> None:
    clock = device_clock(time)
    for _ in range(100_000):
        with clock.span("crop"):
            time.work(0.001, device_ms=1)
        time.reached = time.device - 5  # the device lags five spans behind
    assert time.events <= 20
    clock.finish()
    assert clock.recorder.series["crop"].device.count == 100_000


def test_spans_may_end_out_of_order(time: FakeTime) -> None:
    clock = device_clock(time)
    late = clock.open("generate")
    with late:
        time.work(1, device_ms=100)
    clock.close(late)
    assert late.pair is not None
    late.pair[1].at = 500.0  # another stream, far behind
    time.reached = 100
    with clock.span("save"):
        time.work(1)
    assert device_times(clock.recorder.series["save"]) == [0]
    assert device_times(clock.recorder.series["generate"]) == []


def test_parts_add_up_on_the_host_and_the_device_ends_with_the_first(time: FakeTime) -> None:
    clock = device_clock(time)
    span = clock.open("generate")
    with span:
        time.work(2, device_ms=40)
    time.work(7, device_ms=9)
    with span:
        time.work(3, device_ms=1)
    clock.close(span)
    clock.finish()
    assert host_times(clock.recorder.series["generate"]) == [5]
    assert device_times(clock.recorder.series["generate"]) == [40]


def test_waiting_clock_counts_the_wait_as_host_time(time: FakeTime) -> None:
    clock = Clock(Recorder(), now=time.now, wait=lambda: time.work(25))
    with clock.span("generate"):
        time.work(1)
    assert host_times(clock.recorder.series["generate"]) == [26]


def test_failed_stage_is_not_counted_and_gives_its_events_back(time: FakeTime) -> None:
    clock = device_clock(time)
    for _ in range(3):
        with pytest.raises(ValueError, match="bad"), clock.span("load"):
            raise ValueError("bad")
    assert clock.recorder.series["load"].count == 0
    assert time.events == 2


def test_a_failed_device_does_not_hide_its_first_error(time: FakeTime) -> None:
    def lost() -> None:
        raise RuntimeError("CUDA error, again")

    clock = Clock(Recorder(), now=time.now, make_event=time.event, wait=lost)
    with pytest.raises(ValueError, match="the first"), clock.span("generate") as span:
        assert span.pair
        span.pair[1].record = lost  # type: ignore[method-assign]
        raise ValueError("the first")


def test_a_span_knows_when_and_in_which_thread_it_ran(time: FakeTime) -> None:
    clock = Clock(Recorder(), now=time.now)
    time.work(3)
    span = clock.open("generate", items=2)
    with span:
        time.work(2)
    time.work(7)
    with span:
        time.work(1)
    clock.close(span)
    (recorded,) = clock.recorder.series["generate"].spans
    assert (recorded.stage, recorded.start_ns, recorded.end_ns) == ("generate", 3_000_000, 13_000_000)
    assert (recorded.host_ns, recorded.items, recorded.thread) == (3_000_000, 2, "MainThread")
    reader = threading.Thread(target=_two_hundred_spans, args=(clock,), name="reader")
    reader.start()
    reader.join()
    assert {each.thread for each in clock.recorder.series["save"].spans} == {"reader"}


def test_many_threads(time: FakeTime) -> None:
    clock = Clock(Recorder())
    threads = [threading.Thread(target=_two_hundred_spans, args=(clock,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.recorder.series["save"].count == 1600


def _two_hundred_spans(clock: Clock) -> None:
    for _ in range(200):
        with clock.span("save"):
            pass


@pytest.mark.cuda
def test_cuda_events_see_the_work() -> None:
    device = torch.device("cuda", 0)
    clock = Clock(Recorder(), make_event=event_maker(device))
    x = torch.randn(4096, 4096, device=device)
    for _ in range(3):
        with clock.span("generate"):
            for _ in range(10):
                x = (x @ x).clamp(-1, 1)
    clock.finish()
    series = clock.recorder.series["generate"]
    assert series.device.count == 3
    assert min(device_times(series)) > min(host_times(series))
