"""Verdicts on two sides whose true times are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reports import report_of
from sides import process_of, report_with, sides_of

from gpen_fast.errors import ProfileError
from gpen_fast.measure.compare import LEAST_EFFECT, SAME_WITHIN, compare_sides
from gpen_fast.measure.samples import ProcessSamples

JUDGED = ["load", "detect", "generate", "paste", "save"]


def verdicts(found) -> dict[str, str]:
    return {row.stage: row.verdict for row in found.rows}


@pytest.mark.parametrize("stage", JUDGED)
def test_a_stage_that_is_20_percent_slower_is_named_and_no_other(stage: str) -> None:
    for apart in (False, True):
        for seed in range(4):
            found = compare_sides(*sides_of(seed, apart=apart, **{stage: 1.2}))
            named = [row.stage for row in found.regressions if row.stage != "wall"]
            assert named == [stage], (seed, apart, found.rows)
            row = next(row for row in found.rows if row.stage == stage)
            assert 1.0 < row.low < row.ratio < row.high
            assert row.ratio == pytest.approx(1.2, abs=0.07)


def test_two_sides_of_one_commit_have_no_regression() -> None:
    for seed in range(20):
        for apart in (False, True):
            assert compare_sides(*sides_of(seed, apart=apart)).regressions == []


def test_5_percent_is_never_called_the_same() -> None:
    assert SAME_WITHIN < LEAST_EFFECT <= 0.05
    for count in (3, 5, 16):
        for seed in range(8):
            rows = compare_sides(*sides_of(seed, count, generate=1.05)).rows
            assert next(row for row in rows if row.stage == "generate").verdict != "same"


def test_quiet_sides_are_the_same() -> None:
    found = compare_sides(*sides_of(1, noise=0.004))
    assert {stage for stage, verdict in verdicts(found).items() if verdict == "same"} == {*JUDGED, "wall"}
    assert found.in_turns
    assert (found.old_processes, found.new_processes) == (5, 5)


def test_a_faster_stage_is_called_faster_and_is_no_regression() -> None:
    found = compare_sides(*sides_of(2, detect=0.7))
    assert verdicts(found)["detect"] == "faster"
    assert verdicts(found)["wall"] == "faster"
    assert found.regressions == []


def test_small_stages_are_not_judged_unless_they_grow() -> None:
    found = compare_sides(*sides_of(3, crop=1.02, align=3.0))
    assert (verdicts(found)["crop"], verdicts(found)["align"]) == ("not_judged", "not_judged")
    row = found.rows[2]
    assert (row.stage, row.low, row.high) == ("align", None, None)
    assert row.ratio == pytest.approx(3.0, rel=0.1)
    assert verdicts(compare_sides(*sides_of(3, crop=4.0)))["crop"] == "slower"


def test_a_slow_machine_is_not_taken_for_a_slow_stage() -> None:
    found = compare_sides(*sides_of(4, apart=True, machine=1.08))
    assert not found.in_turns
    assert {verdicts(found)[stage] for stage in JUDGED} <= {"same", "undecided"}
    assert verdicts(found)["wall"] == "undecided"
    assert found.machine == pytest.approx(1.08, abs=0.03)
    assert found.regressions == []


def test_a_slow_stage_is_named_on_a_slow_machine() -> None:
    found = compare_sides(*sides_of(5, apart=True, machine=1.15, paste=1.2))
    assert [row.stage for row in found.regressions if row.stage != "wall"] == ["paste"]


def test_what_slows_all_stages_is_seen_in_the_wall_time() -> None:
    found = compare_sides(*sides_of(6, machine=1.3))
    assert [row.stage for row in found.regressions] == ["wall"]


@pytest.mark.parametrize("seed", [0, 3, 4, 5, 6])
def test_undecided_rows_say_how_many_more_processes_decide(seed: int) -> None:
    few = compare_sides(*sides_of(seed, 3, noise=0.05, machine=1.12)).rows[-1]
    assert (few.stage, few.verdict) == ("wall", "undecided")
    assert few.more_processes is not None
    assert 1 <= few.more_processes <= 40
    many = compare_sides(*sides_of(seed, 3 + few.more_processes, noise=0.05, machine=1.12)).rows[-1]
    assert many.verdict == "slower"


def test_a_ratio_between_same_and_slower_is_undecided_for_good() -> None:
    found = compare_sides(*sides_of(8, 40, noise=0.002, detect=1.045))
    row = next(row for row in found.rows if row.stage == "detect")
    assert (row.verdict, row.more_processes) == ("undecided", None)


def test_fail_over_sets_what_a_regression_is() -> None:
    sides = sides_of(9, noise=0.005, detect=1.2)
    assert [row.stage for row in compare_sides(*sides, fail_over=0.1).regressions] == ["detect"]
    assert compare_sides(*sides, fail_over=0.3).regressions == []
    assert len(compare_sides(*sides, fail_over=0.05).regressions) == 2  # the wall time, too


def test_one_process_or_none_is_never_judged() -> None:
    rng = np.random.default_rng(0)
    one = report_with(process_of(0, rng)), report_with(process_of(1, rng, slower={"detect": 2.0}))
    for old, new in ([one[0]], [one[1]]), ([replace(each, processes=[]) for each in one[:1]], [one[1]]):
        found = compare_sides(old, new)
        row = next(row for row in found.rows if row.stage == "detect")
        assert (row.verdict, row.low, row.more_processes) == ("undecided", None, None)
        assert row.ratio == pytest.approx(2.0, rel=0.1)
        assert found.regressions == []


def test_a_process_that_was_held_up_is_left_out_and_told() -> None:
    old, new = sides_of(10, detect=1.2)
    rng = np.random.default_rng(1)
    new[2] = report_with(process_of(9, rng, machine=8.0, slower={"save": 3.0, "load": 0.2}))
    found = compare_sides(old, new)
    assert (found.new_processes, found.disturbed) == (4, 1)
    assert [row.stage for row in found.regressions if row.stage != "wall"] == ["detect"]
    for at in (0, 1):
        new[at] = report_with(process_of(11 + at, rng, machine=8.0))
    found = compare_sides(old, new)
    assert (found.new_processes, found.disturbed) == (5, 0), "three of five are no exception"


def test_a_report_may_hold_several_processes() -> None:
    old, new = sides_of(10, detect=1.2)
    merged = [report_with(*(each.processes[0] for each in side)) for side in (old, new)]
    apart = compare_sides(old, new)
    whole = compare_sides(merged[:1], merged[1:])
    assert [(row.stage, row.ratio, row.low) for row in apart.regressions] == [
        (row.stage, row.ratio, row.low) for row in whole.regressions
    ]


def test_sides_without_times_of_day_are_not_in_turns() -> None:
    old, new = sides_of(11)
    bare = [replace(each, processes=[replace(each.processes[0], ended="")]) for each in new]
    assert compare_sides(old, new).in_turns
    assert not compare_sides(old, bare).in_turns


def test_stages_that_one_side_lacks_are_left_out() -> None:
    old, new = sides_of(12)

    def without_paste(process: ProcessSamples) -> ProcessSamples:
        return replace(process, host_ms={k: v for k, v in process.host_ms.items() if k != "paste"})

    new = [report_with(without_paste(each.processes[0])) for each in new]
    assert "paste" not in verdicts(compare_sides(old, new))


def test_a_report_of_enhance_is_refused() -> None:
    with pytest.raises(ProfileError, match="a report of enhance cannot be compared: its stages overlap"):
        compare_sides([report_of()], [report_of(command="enhance")])
