"""Reads a timeline back, by the fields that Chrome's trace event format documents for each kind of event."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

# Kind of event -> the fields that it must have, beside its name, kind and process.
_FIELDS = {"X": {"tid", "ts", "dur", "args"}, "C": {"ts", "args"}, "i": {"tid", "ts", "s"}, "M": {"args"}}


@dataclass(frozen=True)
class Slice:
    name: str
    kind: str
    start: float
    end: float
    about: dict[str, object]

    @property
    def pictures(self) -> list[str]:
        """The names of the pictures that it is of."""
        if "picture" in self.about:
            return [str(self.about["picture"])]
        named = self.about.get("pictures", [])
        assert isinstance(named, list)
        return named


class ReadTimeline:
    """A file, read as viewers read it."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_bytes().decode("ascii"))
        self.about = document["otherData"]
        self.events = document["traceEvents"]
        for event in self.events:
            assert {"name", "ph", "pid"} | _FIELDS[event["ph"]] <= event.keys(), event
            assert event.get("ts", 0) >= 0 and event.get("dur", 0) >= 0, event
        processes = self._named("process_name", "pid")
        threads = self._named("thread_name", "tid")
        self.lanes: dict[tuple[str, str], list[Slice]] = defaultdict(list)
        for event in self.events:
            if event["ph"] == "X":
                end = event["ts"] + event["dur"]
                lane = processes[event["pid"]], threads[event["tid"]]
                made = Slice(event["name"], event["cat"], event["ts"], end, event["args"])
                self.lanes[lane].append(made)

    def _named(self, kind: str, number: str) -> dict[int, str]:
        found = [event for event in self.events if event["name"] == kind]
        named = {event[number]: event["args"]["name"] for event in found}
        assert len(named) == len(found), f"a {kind} is told twice"
        return named

    def slices(self, kind: str) -> list[Slice]:
        return [each for lane in self.lanes.values() for each in lane if each.kind == kind]

    def stages(self) -> dict[str, set[str]]:
        """The stages of each picture."""
        found: dict[str, set[str]] = defaultdict(set)
        for each in self.slices("stage"):
            for name in each.pictures:
                found[name].add(each.name)
        return dict(found)

    def counters(self) -> dict[str, list[float]]:
        """The values of each counter, by `name unit`, in the order of the file."""
        found: dict[str, list[float]] = defaultdict(list)
        for event in self.events:
            if event["ph"] == "C":
                for unit, value in event["args"].items():
                    found[f"{event['name']} {unit}"].append(value)
        return dict(found)

    def overlaps(self) -> list[tuple[Slice, Slice]]:
        """Slices of one lane that overlap and do not nest: a viewer drops one of them."""
        wrong = []
        for lane in self.lanes.values():
            around: list[Slice] = []
            for each in sorted(lane, key=lambda each: (each.start, -each.end)):
                # A nanosecond: what a double in microseconds holds in a long run.
                while around and around[-1].end <= each.start + 0.001:
                    around.pop()
                if around and each.end > around[-1].end + 0.001:
                    wrong.append((around[-1], each))
                around.append(each)
        return wrong
