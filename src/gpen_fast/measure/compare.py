"""Whether a new side is slower than an old one, stage by stage: docs/comparing.md has the method and its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np

from gpen_fast.measure.bootstrap import LogRatio, Logs, log_centres, log_ratio
from gpen_fast.measure.comparable import comparison_notes, refuse_other_devices
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import ComparisonRow, ComparisonVerdict
from gpen_fast.measure.samples import ProcessSamples
from gpen_fast.measure.stats import DECIMALS
from gpen_fast.settings import STAGES

WALL = "wall"
# A stage is judged if on either side it takes this share of the wall time and so many milliseconds.
LEAST_SHARE = 0.05
LEAST_MS = 1.0
# All verdicts of one comparison together are right with this probability: Bonferroni divides the rest among them.
CONFIDENCE = 0.95
# "same" needs the whole interval within this: below 5 %, so that a stage that is 5 % slower is never called the same.
SAME_WITHIN = 0.04
# "slower" and "faster" need a ratio beyond this, and an interval that excludes 1.
LEAST_EFFECT = 0.05
# How far the machine may have changed between two sides that were measured one after the other. The wall time follows
# its speed; the ratio of a stage is corrected for it (docs/comparing.md has the measurements behind both).
WALL_DRIFT = 0.10
STAGE_DRIFT = 0.03
# A process whose wall time is so many times the median of its side was held up by another program. It is left out, if
# no more than two in five of the side's processes are like it.
DISTURBED = 1.5
# Other stages from which the machine's speed is read.
_LEAST_OTHERS = 3


@dataclass(frozen=True)
class Comparison:
    """A new side against an old one."""

    rows: list[ComparisonRow]
    """One for each stage that both sides called, and the last for the wall time."""
    old_processes: int
    """Processes with samples of the old side that count."""
    new_processes: int
    """Likewise of the new side."""
    in_turns: bool
    """Both sides were measured in turns, so that the machine's drift slows both alike."""
    machine: float
    """How much slower the machine was on the new side, as all stages together show it; 1 where that is not known."""
    fail_over: float
    """A ratio above 1 by more than this is a regression, if the row's verdict is slower."""
    disturbed: int = 0
    """Processes of both sides that are left out, because something else held them up."""
    notes: list[str] = field(default_factory=list)
    """What else differs between the sides, one sentence each."""

    @property
    def regressions(self) -> list[ComparisonRow]:
        """The rows that are slower by more than `fail_over`."""
        return regressions_of(self.rows, self.fail_over)


def regressions_of(rows: Sequence[ComparisonRow], fail_over: float) -> list[ComparisonRow]:
    """The rows whose verdict is slower and whose ratio is above 1 by more than `fail_over`."""
    return [row for row in rows if row.verdict == "slower" and (row.ratio or 0.0) > 1 + fail_over]


def compare_sides(old: Sequence[Report], new: Sequence[Report], *, fail_over: float = 0.10) -> Comparison:
    """Compares the times of two sides, stage by stage.

    Args:
        old: Reports of `profile`, each of one process or of several (`--repeat`); one and more.
        new: Likewise. Two processes a side are needed for an interval, five for a useful one.
        fail_over: Slow-down that counts as a regression: 0.1 is 10 %.

    Raises:
        ProfileError: The reports come from different devices, or one is not of `profile`.
    """
    refuse_other_devices(old, new)
    before, after = _Side(old), _Side(new)
    judged = [stage for stage in STAGES if before.judged(stage) or after.judged(stage)]
    level = 1 - (1 - CONFIDENCE) / (len(judged) + 1)
    speeds = _Speeds(before, after)
    in_turns = _in_turns(before.processes, after.processes)
    rows = [
        _row(name, before, after, speeds, None if name not in (*judged, WALL) else level, in_turns)
        for name in (*STAGES, WALL)
        if before.ms(name) is not None and after.ms(name) is not None
    ]
    return Comparison(
        rows,
        len(before.processes),
        len(after.processes),
        in_turns,
        round(math.exp(speeds.change), DECIMALS),
        fail_over,
        before.disturbed + after.disturbed,
        [*_told_twice(before, after), *comparison_notes(old, new)],
    )


class _Side:
    """The reports of one side, and all their processes."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self.reports = reports
        every = [each for report in reports for each in report.processes if each.wall_ms]
        self.processes = _undisturbed(every)
        self.disturbed = len(every) - len(self.processes)

    def ms(self, name: str) -> float | None:
        """Median of a call, over the reports; None where it was not called."""
        found = []
        for report in self.reports:
            rows = {row.name: row.host_ms for row in report.stages}
            summary = report.wall_ms if name == WALL else rows.get(name)
            if summary is None:
                return None
            found.append(summary.median)
        return median(found)

    def judged(self, stage: str) -> bool:
        """Whether the stage takes enough of the wall time."""
        shares = [row.share for report in self.reports for row in report.stages if row.name == stage]
        return bool(shares) and median(shares) >= LEAST_SHARE and (self.ms(stage) or 0.0) >= LEAST_MS

    def times(self, name: str) -> list[list[float]]:
        """The samples of each process; empty where a process has none."""
        found = [each.wall_ms if name == WALL else each.host_ms.get(name, []) for each in self.processes]
        return found if all(found) else []


def _undisturbed(processes: list[ProcessSamples]) -> list[ProcessSamples]:
    """The processes without those that something else held up; all of them where these are too many for that."""
    walls = [median(each.wall_ms) for each in processes]
    kept = [each for each, wall in zip(processes, walls, strict=True) if wall <= DISTURBED * median(walls)]
    return kept if len(processes) - len(kept) <= 2 * len(processes) // 5 else processes


class _Speeds:
    """What the machine added to each process's times.

    A neighbour on the machine, or its clock, slows all stages of a process alike, by 5 % to 10 % where it was measured;
    a change of the code slows one. So a stage's times are divided by what the other stages of the same process show:
    the median of their distances from the mean of both sides, which one slow stage among them does not move.
    """

    def __init__(self, old: _Side, new: _Side) -> None:
        self._counts = len(old.processes), len(new.processes)
        self._centred: dict[str, tuple[Logs, Logs]] = {}
        for stage in STAGES:
            sides = old.times(stage), new.times(stage)
            if all(sides) and max(old.ms(stage) or 0.0, new.ms(stage) or 0.0) >= LEAST_MS:
                logs = log_centres(sides[0]), log_centres(sides[1])
                middle = (logs[0].mean() + logs[1].mean()) / 2
                self._centred[stage] = logs[0] - middle, logs[1] - middle

    def of_others(self, name: str) -> tuple[Logs, Logs] | None:
        """What the other stages show; None for the wall time, and where the others are too few."""
        others = [logs for stage, logs in self._centred.items() if stage != name]
        if name == WALL or len(others) < _LEAST_OTHERS:
            return None
        old, new = (np.median([logs[side] for logs in others], axis=0) for side in (0, 1))
        return old, new

    @property
    def zeros(self) -> tuple[Logs, Logs]:
        """No correction."""
        return np.zeros(self._counts[0]), np.zeros(self._counts[1])

    @property
    def change(self) -> float:
        """How much slower all stages together are on the new side, as a logarithm."""
        if len(self._centred) < _LEAST_OTHERS or min(self._counts) < 2:
            return 0.0
        return float(np.median([new.mean() - old.mean() for old, new in self._centred.values()]))


def _row(
    name: str, old: _Side, new: _Side, speeds: _Speeds, level: float | None, in_turns: bool
) -> ComparisonRow:
    """One row; level: of its confidence interval, None for a stage that is not judged."""
    old_ms, new_ms = old.ms(name), new.ms(name)
    assert old_ms is not None and new_ms is not None, "both sides called it"
    ratio = round(new_ms / old_ms, DECIMALS) if old_ms else None
    if level is None:
        return ComparisonRow(name, old_ms, new_ms, ratio, None, None, "not_judged")
    times = old.times(name), new.times(name)
    processes = min(map(len, times))
    if processes < 2:
        return ComparisonRow(name, old_ms, new_ms, ratio, None, None, "undecided")
    correction = speeds.of_others(name)
    found = log_ratio(*times, correction or speeds.zeros, level=level)
    drift = 0.0 if in_turns else math.log1p(STAGE_DRIFT if correction else WALL_DRIFT)
    low, high = found.estimate - found.half_width - drift, found.estimate + found.half_width + drift
    verdict = _verdict(found.estimate, low, high)
    more = _more_processes(found, drift, processes) if verdict == "undecided" else None
    ratio, low_ratio, high_ratio = (round(math.exp(log), DECIMALS) for log in (found.estimate, low, high))
    return ComparisonRow(name, old_ms, new_ms, ratio, low_ratio, high_ratio, verdict, more)


def _verdict(estimate: float, low: float, high: float) -> ComparisonVerdict:
    if max(-low, high) < math.log1p(SAME_WITHIN):
        return "same"
    if low > 0 and estimate > math.log1p(LEAST_EFFECT):
        return "slower"
    if high < 0 and -estimate > math.log1p(LEAST_EFFECT):
        return "faster"
    return "undecided"


def _more_processes(found: LogRatio, drift: float, processes: int) -> int | None:
    """How many more a side would decide, if the estimate stays: the width falls as one over the root of their number.

    None where no number would: the ratio lies between what is the same and what is a change, or the drift between
    the two sides hides it.
    """
    effect = abs(found.estimate)
    wanted = math.log1p(SAME_WITHIN) - effect - drift
    if wanted <= 0:
        wanted = effect - drift if effect > math.log1p(LEAST_EFFECT) else 0.0
    if wanted <= 0:
        return None
    return max(1, math.ceil(processes * (found.half_width / wanted) ** 2) - processes)


def _on_both(old: Sequence[ProcessSamples], new: Sequence[ProcessSamples]) -> int:
    """How many processes stand on both sides."""
    return sum(each in old for each in new)


def _told_twice(old: _Side, new: _Side) -> list[str]:
    count = _on_both(old.processes, new.processes)
    return [f"{count} of the processes stand on both sides."] if count else []


def _in_turns(old: Sequence[ProcessSamples], new: Sequence[ProcessSamples]) -> bool:
    """Whether the sides alternate in time: A B A B, or A B B A A B."""
    marks = sorted([(each.ended, 0) for each in old] + [(each.ended, 1) for each in new])
    if not marks or not all(ended for ended, _ in marks) or _on_both(old, new):
        return False
    groups = 1 + sum(one[1] != other[1] for one, other in pairwise(marks))
    return groups > min(len(old), len(new))
