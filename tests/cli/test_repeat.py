"""`profile --repeat` and `--compare` as a user runs them: real processes of a small network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import write_photo
from reports import problems, strict_schema
from sides import process_of, report_with

from gpen_fast.cli.repeat import forwarded
from gpen_fast.measure import fresh
from gpen_fast.measure.export.json import write_report
from gpen_fast.measure.merge import merged_report
from gpen_fast.measure.report import Report


def test_processes_get_the_arguments_without_the_flags_of_the_whole() -> None:
    line = ["profile", "a.png", "--runs", "3", "--compare", "o.json", "--repeat=4", "--json", "-", "--fp16"]
    assert forwarded([*line, "--budget", "9", "--fail-over=5%"]) == ["a.png", "--runs", "3", "--fp16"]
    assert forwarded(["profile", "profile", "--repeat", "2"]) == ["profile"]


def test_repeat_holds_every_process(cli, tmp_path: Path, tiny_weights: Path) -> None:
    picture, report = write_photo(tmp_path / "a.png", height=64, width=64), tmp_path / "r.json"
    common = ["profile", picture, "--skip-detect", "--weights", tiny_weights, "--runs", 2, "--warmup", 0]
    ran = cli(*common, "--repeat", 2, "--json", report)
    assert ran.status == 0
    assert "process 2 of 2: wall " in ran.err
    assert "4 runs of 1 face" in ran.out
    made = Report.from_json(report)
    assert problems(json.loads(report.read_text()), strict_schema()) == []
    assert [len(each.wall_ms) for each in made.processes] == [2, 2]
    assert made.processes[0].ended < made.processes[1].ended
    assert (made.runs, made.images, made.comparison) == (4, 4, [])
    assert cli("report", "diff", report, report).status == 0


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch):
    """Lets `profile` measure made-up processes whose stage is that much slower than those of the earlier report."""
    calls: list[list[str]] = []

    def setting(**slower: float) -> list[list[str]]:
        rng = np.random.default_rng(7)

        def run(arguments: list[str]) -> Report:
            calls.append(list(arguments))
            return report_with(process_of(1000 + len(calls), rng, slower=slower))

        monkeypatch.setattr(fresh, "fresh_profile", run)
        return calls

    return setting


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    rng = np.random.default_rng(8)
    path = tmp_path / "old.json"
    write_report(merged_report([report_with(process_of(number, rng)) for number in range(5)]), path)
    return path


def test_compare_ends_with_status_1_and_names_the_stage(cli, tmp_path: Path, earlier: Path, measured) -> None:
    picture, report = write_photo(tmp_path / "a.png"), tmp_path / "new.json"
    calls = measured(paste=1.25)
    ran = cli("profile", picture, "--runs", 3, "--compare", earlier, "--json", report)
    assert ran.status == 1
    assert calls == [[str(picture), "--runs", "3"]] * 5
    assert "Regression, slower by more than 10 %: paste 2" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    made = json.loads(report.read_text())
    assert problems(made, strict_schema()) == []
    assert {row["stage"]: row["verdict"] for row in made["comparison"]}["paste"] == "slower"
    assert {"stage", "ratio", "low", "high", "verdict"} <= set(made["comparison"][0])
    ran = cli("profile", picture, "--compare", earlier, "--fail-over", "40%", "--repeat", 3)
    assert ran.status == 0
    assert len(calls) == 5 + 3


def test_nothing_slower_ends_with_status_0(cli, tmp_path: Path, earlier: Path, measured) -> None:
    measured()
    ran = cli("profile", write_photo(tmp_path / "a.png"), "--compare", earlier)
    assert ran.status == 0
    assert "No regression: nothing is known to be slower by more than 10 %." in ran.out
    assert "measured one side after the other" in ran.out


def test_wrong_earlier_reports_are_found_before_the_measurement(
    cli, tmp_path: Path, earlier: Path, measured
) -> None:
    picture, calls = write_photo(tmp_path / "a.png"), measured()
    ran = cli("profile", picture, "--compare", tmp_path / "none.json")
    assert (ran.status, calls) == (2, [])
    assert "none.json: cannot be read" in ran.err
    assert cli("profile", picture, "--compare", earlier, "--fail-over", "10").status == 2
    assert calls == []
    old = Report.from_json(earlier)
    assert old.device is not None
    write_report(replace(old, device=replace(old.device, name="cuda:0 H100", type="cuda")), earlier)
    ran = cli("profile", picture, "--compare", earlier)
    assert ran.status == 2
    assert "the reports come from different devices" in ran.err
    assert len(calls) == 1, "one process shows that they cannot be compared"


def test_flags_that_do_not_go_together(cli, tmp_path: Path, earlier: Path) -> None:
    picture = write_photo(tmp_path / "a.png")
    ran = cli("profile", picture, "--ladder", "--compare", earlier)
    assert ran.status == 2
    assert "--compare and --repeat are for the stages of one picture, not for --ladder" in ran.err
    ran = cli("profile", picture, "--repeat", 2, "--trace", tmp_path / "t.json")
    assert ran.status == 2
    assert "--trace is of one process: leave out --repeat and --compare." in ran.err
