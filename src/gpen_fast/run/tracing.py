"""What a timeline shows beside the stages: queues, memory and idle causes, sampled while a run goes on."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import allocated_bytes
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.device_time import DeviceTimeline
from gpen_fast.measure.export.trace import Timeline
from gpen_fast.measure.memory import resident_bytes
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.report import idle_rows
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.team import Team

Counters = dict[str, dict[str, float]]
# Seconds between two looks at the counters.
_EVERY_S = 0.1
_MIB = 2**20


def traced_clock(runtime: Runtime, recorder: Recorder, wait: Callable[[], None] = lambda: None) -> Clock:
    """A clock for a device; if the recorder has a timeline, the clock finds when calls ran on the device.

    Args:
        runtime: What runs.
        recorder: Receives each closed span.
        wait: See `Clock`.
    """
    make_event = event_maker(runtime.device)
    device_time = None
    if recorder.sink and make_event:
        device_time = DeviceTimeline(str(runtime.device), make_event, time.perf_counter_ns)
    return Clock(recorder, make_event=make_event, wait=wait, timeline=device_time)


@contextlib.contextmanager
def counters_on(timeline: Timeline | None, gauges: Sequence[Callable[[], Counters]]) -> Iterator[None]:
    """Writes counters to the timeline, ten times a second while the block runs, and at its start and end.

    Args:
        timeline: Takes the values; None: nothing is done.
        gauges: Give values by counter and unit. They are called in a thread of this function.
    """
    if timeline is None:
        yield
        return
    ended = threading.Event()

    def sample() -> None:
        for gauge in gauges:
            timeline.count(gauge())

    def watch() -> None:
        while not ended.wait(_EVERY_S):
            sample()

    sample()
    thread = threading.Thread(target=watch, name="gpen-fast-counters", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        sample()


def run_gauges(
    runtimes: Sequence[Runtime], recorder: Recorder, team: Team, start_ns: int
) -> list[Callable[[], Counters]]:
    """What is sampled of a run of `enhance`: queues, memory and idle time.

    Args:
        runtimes: What runs.
        recorder: What is measured.
        team: Who restores.
        start_ns: When the run began, by `time.perf_counter_ns`.
    """

    def now_ms() -> float:
        return (time.perf_counter_ns() - start_ns) / NS_PER_MS

    return [
        lambda: team.depths,
        partial(memory_gauge, *runtimes),
        partial(idle_gauge, runtimes[0], recorder, team, now_ms),
    ]


def memory_gauge(*runtimes: Runtime) -> Counters:
    """Memory at the moment: of this process, and of tensors on each device."""
    sizes = {"host": resident_bytes()} | {str(each.device): allocated_bytes(each.device) for each in runtimes}
    return {"memory": {f"{name}, MiB": size / _MIB for name, size in sizes.items() if size is not None}}


def idle_gauge(runtime: Runtime, recorder: Recorder, team: Team, now_ms: Callable[[], float]) -> Counters:
    """Share of the time since the start in which the network did not run, by cause: the last values are the report's.

    Args:
        runtime: What runs.
        recorder: What was measured so far.
        team: Who restores, and what it waited for so far.
        now_ms: Gives milliseconds since the start of the run.
    """
    if runtime.detection_cache:
        return {}  # this thread must not open a detector that perhaps no picture needs
    return {
        f"idle time of the {row.resource} so far": {
            f"{cause}, %": 100 * share for cause, share in row.causes.items()
        }
        for row in idle_rows(runtime, recorder, team, now_ms())
    }
