"""`gpen-fast report diff` as a user runs it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from reports import problems, report_of, strict_schema
from sides import sides_of

from gpen_fast.measure.export.json import write_report
from gpen_fast.measure.merge import merged_report


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """old0.json.. new4.json of a commit whose generate is 20 % slower; old.json and new.json hold five processes."""
    monkeypatch.chdir(tmp_path)
    old, new = sides_of(1, generate=1.2)
    for name, side in (("old", old), ("new", new)):
        for number, report in enumerate(side):
            write_report(report, Path(f"{name}{number}.json"))
        write_report(merged_report(side), Path(f"{name}.json"))
    return tmp_path


def test_two_files(cli, folder: Path) -> None:
    ran = cli("report", "diff", "old.json", "new.json", "--json", "diff.json")
    assert ran.status == 1
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["stage", "old", "ms", "new", "ms", "ratio", "between", "verdict"]
    row = next(line for line in lines if line.startswith("generate"))
    assert row.split()[-1] == "slower"
    assert "Regression, slower by more than 10 %: generate 2" in ran.out
    assert "5 processes against 5, measured in turns." in ran.out
    made = json.loads(Path("diff.json").read_text())
    assert problems(made, strict_schema()) == []
    assert (made["verdict"], made["regressions"], made["in_turns"]) == ("regression", ["generate"], True)
    (generate,) = [row for row in made["comparison"] if row["stage"] == "generate"]
    assert 1 < generate["low"] < 1.2 < generate["high"] + 0.05


def test_several_files_a_side_give_the_same_verdicts(cli, folder: Path) -> None:
    old, new = (sorted(str(path) for path in Path().glob(f"{side}?.json")) for side in ("old", "new"))
    assert len(old) == len(new) == 5
    ran = cli("report", "diff", *old, "--with", *new, "--json", "a.json")
    assert ran.status == 1
    other_order = cli("report", "diff", "--with", *new, "--fail-over", "10%", *old)
    assert (other_order.status, other_order.out) == (1, ran.out)
    assert cli("report", "diff", "old.json", "new.json", "--json", "c.json").status == 1
    a, c = (json.loads(Path(name).read_text()) for name in ("a.json", "c.json"))
    assert [(row["stage"], row["verdict"]) for row in a["comparison"]] == [
        (row["stage"], row["verdict"]) for row in c["comparison"]
    ]


def test_fail_over_and_status(cli, folder: Path) -> None:
    assert cli("report", "diff", "old.json", "new.json", "--fail-over", "30%").status == 0
    assert cli("report", "diff", "new.json", "old.json").status == 0
    ran = cli("report", "diff", "old.json", "new.json", "--fail-over", "10")
    assert ran.status == 2
    assert "--fail-over 10: accepted are a percentage such as 10%" in ran.err


def test_markdown_alone_on_standard_output(cli, folder: Path) -> None:
    ran = cli("report", "diff", "old.json", "new.json", "--markdown", "-")
    assert ran.status == 1
    assert ran.out.startswith("| stage | old ms | new ms | ratio | between | verdict |\n| --- | ---:")
    assert "| **generate** |" in ran.out
    assert cli("report", "diff", "old.json", "new.json", "--markdown", "d.md").out.startswith("stage")
    assert Path("d.md").read_text() == ran.out
    both = cli("report", "diff", "old.json", "new.json", "--markdown", "-", "--json", "-")
    assert both.status == 2
    assert "both write to standard output" in both.err


def test_wrong_files(cli, folder: Path) -> None:
    ran = cli("report", "diff", "old.json")
    assert ran.status == 2
    assert "report diff has 1 file and no --with: accepted are two files" in ran.err
    ran = cli("report", "diff", "old.json", "none.json")
    assert ran.status == 2
    assert "none.json: cannot be read" in ran.err
    write_report(report_of(command="enhance"), Path("e.json"))
    ran = cli("report", "diff", "old.json", "e.json")
    assert ran.status == 2
    assert "a report of enhance cannot be compared" in ran.err


def test_another_device_is_refused_in_one_sentence(cli, folder: Path) -> None:
    report = report_of()
    assert report.device is not None
    write_report(
        replace(report, device=replace(report.device, name="cpu, 8 threads", threads=8)), Path("x.json")
    )
    ran = cli("report", "diff", "old.json", "x.json")
    assert ran.status == 2
    assert "error: the reports come from different devices: 'cpu, 2 threads' and 'cpu, 8 threads'." in ran.err
    assert ran.out == ""


def test_a_report_of_an_earlier_version_has_ratios_and_no_verdict(cli, folder: Path) -> None:
    made = json.loads(Path("old.json").read_text())
    for key in ("processes", "input_sha256", "comparison"):
        del made[key]
    Path("early.json").write_text(json.dumps(made))
    ran = cli("report", "diff", "early.json", "new.json")
    assert ran.status == 0
    row = next(line for line in ran.out.splitlines() if line.startswith("generate"))
    assert row.split()[-1] == "undecided"
    assert "0 processes against 5: an interval needs two on each side" in ran.out
