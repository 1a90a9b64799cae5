"""The rows of a report: one for each stage, and one for each input."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from gpen_fast.measure.stats import Summary

OutcomeName = Literal["restored", "no_face", "ignored", "skipped", "failed"]
OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)
ComparisonVerdict = Literal["same", "faster", "slower", "undecided", "not_judged"]
RowOutcome = Literal["restored", "no_face", "ignored", "skipped", "failed", "not_done"]


@dataclass(frozen=True)
class StageRow:
    """One stage of the pipeline."""

    name: str
    """The stage's name."""
    count: int
    """Calls."""
    items: int
    """Pictures or faces that went through."""
    skipped: bool
    """The stage has nothing to do where each picture is an aligned face."""
    device_ms: Summary | None
    """Time on the device's stream; None where the stage does no device work, or was not called."""
    host_ms: Summary | None
    """Wall time inside the stage; None where it was not called."""
    share: float
    """Of the wall time in `profile`, of the summed stage times in `enhance`: 0 to 1."""
    total_ms: float | None = None
    """Wall time inside the stage, summed over every call, the first too; None in a report of an earlier version."""
    device_total_ms: float | None = None
    """Time on the device's stream, summed likewise; None without device work."""


@dataclass(frozen=True)
class DeviceRow:
    """One of the devices, or of the processes on a CPU, that shared a run."""

    name: str
    """cuda:0, or cpu:0 for the first process on a CPU."""
    pictures: int
    """Pictures that it handed to the writers."""
    faces: int
    """Faces that it restored."""
    busy: float
    """Share of the wall time, 0 to 1, in which it had pictures and waited neither for readers nor for writers."""
    error: str = ""
    """Why it stopped before the end; empty where it did not."""


@dataclass(frozen=True)
class IdleRow:
    """What a part of the run waited for."""

    resource: str
    """The part: network."""
    share: float
    """Share of the wall time, 0 to 1, in which it did not run."""
    causes: dict[str, float]
    """Shares of the wall time by what ran or was waited for meanwhile: a stage, or `other`. They add up to `share`."""


@dataclass(frozen=True)
class MixRow:
    """One of several pictures that were profiled together."""

    path: str
    """The picture."""
    width: int
    """Its pixels from left to right, upright."""
    height: int
    """Its pixels from top to bottom."""
    megapixels: float
    """Width times height, in millions."""
    faces: int
    """Faces restored in it."""
    runs: int
    """Counted runs."""
    first_ms: float | None
    """Wall time of its very first run, which is not counted."""
    wall_ms: float
    """Median wall time of its counted runs."""
    stages_ms: dict[str, float]
    """Median wall time of each stage that was called."""


@dataclass(frozen=True)
class ComparisonRow:
    """One stage, or the wall time, of a new side against an old one."""

    stage: str
    """The stage's name, or wall."""
    old_ms: float | None
    """Median of a call on the old side, milliseconds; None where the stage was not called."""
    new_ms: float | None
    """Likewise on the new side."""
    ratio: float | None
    """New time over old time; None where a side did not call the stage."""
    low: float | None
    """Lower end of the ratio's confidence interval; None where it is not judged or the samples do not suffice."""
    high: float | None
    """Upper end, likewise."""
    verdict: ComparisonVerdict
    """not_judged: the stage takes too little of the wall time on both sides."""
    more_processes: int | None = None
    """Of an undecided row: about how many more processes a side would decide; None where that is not known."""


@dataclass(frozen=True, slots=True)
class PictureRow:
    """What became of one input. A value that is None is not known: the picture was not read, or not searched."""

    input: str
    """The input's path."""
    output: str | None
    """The result's path; None if the file is not a picture, or if the picture failed."""
    outcome: RowOutcome
    """What became of it. not_done: an interrupt or --dry-run left it."""
    faces: int = 0
    """Faces restored in it."""
    faces_found: int | None = None
    """Faces found in it, before --min-face and similar options left some out."""
    times_ms: dict[str, float] = field(default_factory=dict)
    """Host milliseconds by stage. A batch's time is shared evenly among its faces."""
    note: str = ""
    """What a user may not expect: one or more sentences."""
    error: str = ""
    """Why it failed, in one line."""

    def as_line(self) -> str:
        """The row as one line of JSON, without a line break."""
        return json.dumps(asdict(self))
