"""The soak tests in a reduced form: a few kills, a plan of a thousand pictures. `make soak` runs the full one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from helpers import ROOT


def soaked(suite: str, report: Path, *more: str) -> dict[str, int]:
    command = [sys.executable, str(ROOT / "benchmarks" / "soak.py"), suite, "--json", str(report), *more]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(report.read_text())


def test_killed_runs_lose_nothing(tmp_path: Path) -> None:
    found = soaked("kills", tmp_path / "kills.json", "--tries", "5", "--pictures", "20", "--seed", "1")
    assert found["kills"] == 5 and found["kills in a run"] >= 1
    assert found["sets"] >= 1 and found["results checked"] >= 20
    assert found["results that differ"] == 0


def test_a_thousand_pictures_are_planned_from_the_journal(tmp_path: Path) -> None:
    found = soaked("plan", tmp_path / "plan.json", "--pictures", "1000")
    assert found["pictures"] == 1000
    assert found["journal_bytes"] > 100 * 990
