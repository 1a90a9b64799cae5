"""A timeline, written and read back."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from timelines import ReadTimeline

from gpen_fast.measure.export.trace import Timeline
from gpen_fast.measure.spans import DevicePlace, RecordedSpan, RecordedWait

US = 1000


class Bytes:
    """Holds what is written, and how much came at a time."""

    def __init__(self, full_after: int | None = None) -> None:
        self.data = b""
        self.sizes: list[int] = []
        self._full_after = full_after

    def write(self, data: bytes) -> None:
        if self._full_after is not None and len(self.data) + len(data) > self._full_after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.sizes.append(len(data))
        self.data += data

    def read(self, folder: Path) -> ReadTimeline:
        (folder / "t.json").write_bytes(self.data)
        return ReadTimeline(folder / "t.json")


def timeline_of(file: Bytes) -> Timeline:
    return Timeline(file, lambda index: f"in/{index}.jpg", {"command": "enhance"}, now=lambda: 0)


def span(
    stage: str, start: int, end: int, thread: str = "gpen-fast-worker_0", **more: object
) -> RecordedSpan:
    return RecordedSpan(stage, start * US, end * US, thread, 1, (end - start) * US, **more)  # type: ignore[arg-type]


def test_a_call_is_a_slice_in_the_lane_of_its_thread_with_its_pictures(tmp_path: Path) -> None:
    file = Bytes()
    timeline = timeline_of(file)
    timeline.span(span("load", 10, 15, "gpen-fast-reader_1", pictures=(3,)))
    timeline.span(span("detect", 20, 24, pictures=(3, 4)))
    timeline.span(span("save", 30, 31, "writer_0", pictures=(3,), process="gpen-fast-cpu:1"))
    timeline.wait(RecordedWait("load", 25 * US, 27 * US, "gpen-fast-worker_0"))
    timeline.close()
    read = file.read(tmp_path)
    assert read.about == {"command": "enhance"}
    assert set(read.lanes) == {
        ("gpen-fast", "reader 1"),
        ("gpen-fast", "worker 0"),
        ("cpu:1", "writer 0"),
    }
    (load,) = read.lanes["gpen-fast", "reader 1"]
    assert (load.name, load.start, load.end, load.about) == ("load", 10, 15, {"picture": "in/3.jpg"})
    detect, wait = read.lanes["gpen-fast", "worker 0"]
    assert detect.pictures == ["in/3.jpg", "in/4.jpg"]
    assert (wait.name, wait.kind, wait.start, wait.end) == ("waits for reading", "wait", 25, 27)
    assert read.stages() == {"in/3.jpg": {"load", "detect", "save"}, "in/4.jpg": {"detect"}}


def test_a_call_in_parts_leaves_room_for_what_ran_between_them(tmp_path: Path) -> None:
    """As one slice the first network call would overlap the second one, and a viewer would drop it."""
    file = Bytes()
    timeline = timeline_of(file)
    first = span("generate", 0, 30, pictures=(0,), parts=((0, 2 * US), (28 * US, 30 * US)))
    second = span("generate", 10, 50, pictures=(1,), parts=((10 * US, 12 * US), (40 * US, 50 * US)))
    timeline.span(first)
    timeline.span(span("crop", 4, 8, pictures=(1,)))
    timeline.span(second)
    timeline.close()
    read = file.read(tmp_path)
    assert read.overlaps() == []
    calls = [each for each in read.slices("stage") if each.name == "generate"]
    assert [(each.start, each.end, each.about["part"]) for each in calls] == [
        (0, 2, "1 of 2"), (28, 30, "2 of 2"), (10, 12, "1 of 2"), (40, 50, "2 of 2"),
    ]  # fmt: skip


def test_overlaps_are_found_by_the_reader(tmp_path: Path) -> None:
    file = Bytes()
    timeline = timeline_of(file)
    timeline.span(span("crop", 0, 5))
    timeline.span(span("crop", 3, 7))
    timeline.close()
    assert len(file.read(tmp_path).overlaps()) == 1


def test_device_calls_lie_in_the_lane_of_their_device(tmp_path: Path) -> None:
    file = Bytes()
    timeline = timeline_of(file)
    timeline.device_span(span("generate", 0, 1, pictures=(2,)), DevicePlace("cuda:0", 40 * US, 90 * US))
    timeline.close()
    read = file.read(tmp_path)
    (slice_,) = read.lanes["cuda:0 (device time)", "stream"]
    assert (slice_.start, slice_.end, slice_.kind, slice_.pictures) == (40, 90, "device", ["in/2.jpg"])


def test_counters_that_stay_are_written_once_and_marks_name_what_failed(tmp_path: Path) -> None:
    file = Bytes()
    timeline = timeline_of(file)
    for pictures in (1, 1, 2):
        timeline.count({"under way": {"pictures": pictures}, "none": {}})
    timeline.mark("failed", picture="in/odd\udc80.jpg", error="torn")
    timeline.close()
    read = file.read(tmp_path)
    assert read.counters() == {"under way pictures": [1, 2]}
    (mark,) = [event for event in read.events if event["ph"] == "i"]
    assert mark["args"] == {"picture": "in/odd?.jpg", "error": "torn"}


def test_a_long_run_is_written_as_it_goes(tmp_path: Path) -> None:
    file = Bytes()
    timeline = timeline_of(file)
    for at in range(20_000):
        timeline.span(span("load", 10 * at, 10 * at + 5, pictures=(at,)))
    assert len(file.data) > 1_000_000
    assert max(file.sizes) < 70_000, "it is written in pieces of 64 kB"
    timeline.close()
    timeline.close()
    timeline.span(span("load", 0, 1))
    assert len(file.read(tmp_path).slices("stage")) == 20_000


def test_threads_write_whole_events(tmp_path: Path) -> None:
    file = Bytes()
    timeline = timeline_of(file)

    def work(number: int) -> None:
        for at in range(300):
            timeline.span(span("load", at, at + 1, f"gpen-fast-reader_{number}", pictures=(number,)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timeline.close()
    read = file.read(tmp_path)
    assert len(read.slices("stage")) == 2400
    assert len(read.lanes) == 8
    assert read.overlaps() == []


def test_after_a_failed_write_nothing_more_is_written() -> None:
    file = Bytes(full_after=100_000)
    timeline = timeline_of(file)
    for at in range(3000):
        timeline.span(span("load", at, at + 1))
    timeline.close()
    assert timeline.failure is not None
    assert timeline.failure.errno == errno.ENOSPC
    assert len(file.sizes) == 1


@pytest.mark.parametrize("thread", ["MainThread", "Thread-7 (work)"])
def test_a_block_lies_around_the_calls_of_its_thread(tmp_path: Path, thread: str) -> None:
    file = Bytes()
    timeline = timeline_of(file)

    def work() -> None:
        timeline.span(span("load", 2, 5, thread, pictures=(0,)))
        timeline.block("run 1", 1 * US, 9 * US)

    if thread == "MainThread":
        work()
    else:
        runner = threading.Thread(target=work, name=thread)
        runner.start()
        runner.join()
    timeline.close()
    read = file.read(tmp_path)
    assert read.overlaps() == []
    ((_, lane),) = read.lanes.items()
    assert {each.name for each in lane} == {"run 1", "load"}
