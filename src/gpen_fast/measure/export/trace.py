"""A run as a timeline: Chrome's trace events, JSON that ui.perfetto.dev and other viewers open.

Perfetto drops a slice that overlaps another one of its lane without lying within it. A lane here is a thread or a
device's stream, whose work follows or nests by itself; a call that was timed in parts is one slice a part, because
other calls of its thread ran between them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from gpen_fast.measure.spans import DevicePlace, RecordedSpan, RecordedWait

# Bytes that are held before they are written.
_BUFFER = 1 << 16
_NS_PER_US = 1000
_WAITS = {"load": "waits for reading", "save": "waits for writing", "pictures": "waits for pictures"}
# The stages that count faces; the others count pictures.
_OF_FACES = frozenset({"align", "crop", "generate", "paste"})
# Lanes of a process from top to bottom, in the order of a picture's way; the beginning of their names.
_ORDER = ("main", "reader", "decoder", "tracker", "worker", "network", "stream", "writer", "encoder")


class ByteSink(Protocol):
    """Where a timeline's bytes go."""

    def write(self, data: bytes) -> object:
        """Appends bytes; raises OSError where they cannot be written."""


class Timeline:
    """Writes calls, waits, counters and marks as they come; see `SpanSink`. Several threads may use it at once.

    It holds 64 kB, whatever the length of the run. If a write fails, `failure` says why, and nothing more is written.
    """

    def __init__(
        self,
        file: ByteSink,
        name_of: Callable[[int], str],
        about: Mapping[str, str],
        now: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """Writes the head.

        Args:
            file: Takes the bytes.
            name_of: The name of a picture, by its position in the input of the run.
            about: What the file says of the run as a whole, by keys.
            now: Gives nanoseconds on the scale of the spans.
        """
        self.failure: OSError | None = None
        self._file = file
        self._name_of = name_of
        self.now = now
        self._start_ns = now()
        self._lock = threading.Lock()
        self._held = bytearray(b'{"otherData":' + _ascii(about) + b',"traceEvents":[')
        self._first = True
        self._closed = False
        self._processes: dict[str, int] = {}
        self._lanes: dict[tuple[str, str], tuple[int, int]] = {}
        self._counters: dict[str, dict[str, float]] = {}
        self._lane("", "MainThread")

    def span(self, span: RecordedSpan) -> None:
        """One slice for each part of a call, in the lane of its thread."""
        about = self._about(span)
        parts = span.parts or ((span.start_ns, span.end_ns),)
        for number, (start_ns, end_ns) in enumerate(parts, 1):
            told = {**about, "part": f"{number} of {len(parts)}"} if len(parts) > 1 else about
            self._slice(span.stage, "stage", span.process, span.thread, start_ns, end_ns, told)

    def device_span(self, span: RecordedSpan, place: DevicePlace) -> None:
        """A slice in the lane of the device."""
        process = f"{place.device} (device time)"
        self._slice(span.stage, "device", process, "stream", place.start_ns, place.end_ns, self._about(span))

    def wait(self, wait: RecordedWait) -> None:
        """A slice in the lane of the thread that waited."""
        name = _WAITS.get(wait.cause, f"waits for {wait.cause}")
        self._slice(name, "wait", wait.process, wait.thread, wait.start_ns, wait.end_ns, {})

    def block(self, name: str, start_ns: int, end_ns: int) -> None:
        """A slice in the lane of the calling thread, around the calls that were made meanwhile."""
        self._slice(name, "run", "", threading.current_thread().name, start_ns, end_ns, {})

    def mark(self, name: str, **about: str) -> None:
        """A moment of the run, in the main lane."""
        pid, tid = self._lane("", "MainThread")
        self._event(
            {"name": name, "ph": "i", "s": "p", "pid": pid, "tid": tid, "ts": self._us(self.now()),
             "args": {key: _clean(value) for key, value in about.items()}}
        )  # fmt: skip

    def count(self, counters: Mapping[str, Mapping[str, float]]) -> None:
        """The values of counters at this moment; those that have not changed are left out.

        Args:
            counters: Values by the counter's name and, in it, by their unit.
        """
        now_us = self._us(self.now())
        for name, values in counters.items():
            rounded = {unit: round(value, 2) for unit, value in values.items()}
            if rounded and rounded != self._counters.get(name):
                self._counters[name] = rounded
                self._event({"name": name, "ph": "C", "pid": 1, "ts": now_us, "args": rounded})

    def close(self) -> None:
        """Writes what is held, and the end: the file can be read now, whatever ended the run."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._held += b"\n]}\n"
                self._flush()

    def _about(self, span: RecordedSpan) -> dict[str, object]:
        names = [_clean(self._name_of(index)) for index in span.pictures]
        about: dict[str, object] = {"picture": names[0]} if len(names) == 1 else {"pictures": names}
        if span.stage in _OF_FACES:
            about["faces"] = span.items
        return about

    def _slice(
        self, name: str, kind: str, process: str, thread: str, start_ns: int, end_ns: int, about: Mapping[str, object]
    ) -> None:  # fmt: skip
        pid, tid = self._lane(process, thread)
        self._event(
            {"name": name, "cat": kind, "ph": "X", "pid": pid, "tid": tid, "ts": self._us(start_ns),
             "dur": (end_ns - start_ns) / _NS_PER_US, "args": about}
        )  # fmt: skip

    def _us(self, ns: int) -> float:
        """Microseconds since the start of the timeline, exact to the nanosecond in any run of a month."""
        return (ns - self._start_ns) / _NS_PER_US

    def _lane(self, process: str, thread: str) -> tuple[int, int]:
        """The numbers of a lane. Both are unique in the file, and a new one is named there."""
        if lane := self._lanes.get((process, thread)):
            return lane
        with self._lock:
            if lane := self._lanes.get((process, thread)):
                return lane
            known = process in self._processes
            pid = self._processes.setdefault(process, len(self._processes) + 1)
            tid = 100 * pid + sum(each == process for each, _ in self._lanes)
            self._lanes[process, thread] = pid, tid
        name = _lane_name(process, thread)
        if not known:
            self._tell("process", pid, tid, _process_name(process), _process_place(process))
        self._tell("thread", pid, tid, name, _place(name))
        return pid, tid

    def _tell(self, what: str, pid: int, tid: int, name: str, place: int) -> None:
        """Names a process or a thread, and says where viewers put it."""
        common = {"ph": "M", "pid": pid, "tid": tid}
        self._event({"name": f"{what}_name", **common, "args": {"name": name}})
        self._event({"name": f"{what}_sort_index", **common, "args": {"sort_index": place}})

    def _event(self, event: Mapping[str, object]) -> None:
        line = _ascii(event)
        with self._lock:
            if self._closed or self.failure:
                return
            self._held += b"\n" if self._first else b",\n"
            self._first = False
            self._held += line
            if len(self._held) >= _BUFFER:
                self._flush()

    def _flush(self) -> None:
        """The caller holds the lock."""
        held, self._held = bytes(self._held), bytearray()
        if self.failure is None:
            try:
                self._file.write(held)
            except OSError as cause:
                self.failure = cause


def _ascii(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _clean(name: str) -> str:
    """A name without the halves of characters that a path which is not valid text has: viewers refuse them."""
    return name.encode("utf-8", "replace").decode()


def _process_name(process: str) -> str:
    return process.removeprefix("gpen-fast-") or "gpen-fast"


def _process_place(process: str) -> int:
    """The program, its children by their numbers, then the devices."""
    number = re.search(r":(\d+)( \(|$)", process)
    place = 1 + int(number[1]) if number else 0
    return place + (1000 if process.endswith(")") else 0)


def _lane_name(process: str, thread: str) -> str:
    if thread == "MainThread":
        return "worker" if process else "main"
    return re.sub(r"[_-]+", " ", thread.removeprefix("gpen-fast-"))


def _place(name: str) -> int:
    return next((place for place, kind in enumerate(_ORDER) if name.startswith(kind)), len(_ORDER))
