"""The benchmark job of CI: base and head in turns, a summary, and the exit status; and what the action runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from helpers import EXAMPLES, ROOT
from sides import sides_of

from gpen_fast.measure.export.json import write_report

IS_CHECKOUT = (ROOT / ".git").exists()


@pytest.fixture
def ci(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script, which is not part of a package."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import ci

    yield ci
    sys.modules.pop("ci", None)


def run_main(ci: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ci.py", *arguments])
    try:
        ci.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.skipif(not IS_CHECKOUT, reason="the base is a commit, and this is no checkout")
@pytest.mark.parametrize("slower, status", [(1.0, 0), (1.3, 1)])
def test_a_slower_stage_fails_the_job_and_stands_in_its_summary(
    ci: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slower: float, status: int
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "job.md"))
    sides = dict(zip(("base", "head"), sides_of(1, generate=slower), strict=True))
    order: list[str] = []

    def measured(side: object, report: Path, flags: object, runs: int) -> None:
        name, number = report.stem.split("-")[-2:]
        order.append(name)
        write_report(sides[name][int(number) - 1], report)

    monkeypatch.setattr(ci, "_profile", measured)
    monkeypatch.setattr(ci, "CASES", {"photograph": ()})
    out = tmp_path / "out"
    assert run_main(ci, monkeypatch, "--base", "HEAD", "--repeat", "5", "--out", str(out)) == status
    assert order[:4] == ["base", "head", "head", "base"]
    assert len(ci.reports_of(out, "photograph", "base")) == len(ci.reports_of(out, "photograph", "head")) == 5
    summary = (out / "summary.md").read_text()
    assert summary == (tmp_path / "job.md").read_text()
    head, _, table = summary.partition("### photograph\n\n")
    assert head.endswith("(new), 5 processes each, in turns\n\n")
    assert table.startswith("| stage | old ms | new ms | ratio | between | verdict |")
    assert ("| **generate** |" in summary) == bool(status)
    regressions = json.loads((out / "photograph.json").read_text())["regressions"]
    assert regressions[:1] == ["generate"] * status
    assert not (out / "base").exists()


@pytest.mark.skipif(not IS_CHECKOUT, reason="the base is a commit, and this is no checkout")
def test_a_real_run_of_two_commits(ci: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base's own code runs: its reports name the folder that it was checked out into."""
    monkeypatch.setattr(ci, "CASES", {"aligned": ("--model", "gpen-lite-256", "--skip-detect")})
    out = tmp_path / "out"
    run = ["--base", "HEAD", "--repeat", "1", "--runs", "1", "--out", str(out)]
    assert run_main(ci, monkeypatch, *run) == 0
    (base,), (head,) = (ci.reports_of(out, "aligned", side) for side in ("base", "head"))
    assert json.loads(base.read_text())["images"] == json.loads(head.read_text())["images"] == 1
    assert "undecided" in (out / "summary.md").read_text()


@pytest.mark.parametrize("base", ["0" * 40, "no-such-branch", ""])
def test_without_a_base_the_head_is_measured_alone(
    ci: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    measured: list[str] = []
    monkeypatch.setattr(ci, "_profile", lambda side, report, flags, runs: measured.append(side.name))
    out = tmp_path / "out"
    assert run_main(ci, monkeypatch, "--base", base, "--repeat", "2", "--out", str(out)) == 0
    assert set(measured) == {"head"}
    assert "no base to compare with" in (out / "summary.md").read_text()


@pytest.mark.parametrize("budget, status", [("1000000", 0), ("0.001", 1)])
def test_the_action_writes_a_report_and_keeps_the_budget(tmp_path: Path, budget: str, status: int) -> None:
    picture = tmp_path / "a picture.jpg"
    picture.write_bytes((EXAMPLES / "grace_hopper-degraded.jpg").read_bytes())
    program = tmp_path / "gpen-fast"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gpen_fast "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ, "PICTURE": str(picture), "REPORT": str(tmp_path / "r.json"), "RUNS": "1", "BUDGET": budget,
        "WEIGHTS": "", "OPTIONS": "--skip-detect --warmup 0", "GITHUB_STEP_SUMMARY": str(tmp_path / "job.md"),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
    }  # fmt: skip
    command = ["bash", str(ROOT / "benchmarks" / "action.sh"), str(program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["settings"]["detector"] == "none"
    assert (tmp_path / "outputs").read_text() == f"p95-ms={report['wall_ms']['p95']}\n"
    assert "| generate |" in (tmp_path / "job.md").read_text()
