"""What the user sees while rows and sizes are measured."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from gpen_fast.cli import step_progress as shown
from gpen_fast.cli.step_progress import StepLines, step_progress
from gpen_fast.run.steps import RunsDone


def test_a_line_for_each_step_and_for_long_ones_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(shown.time, "monotonic", lambda: now[0])
    told: list[str] = []
    lines = StepLines("size", told.append)
    lines.began(2, 4, "512 x 512")
    for number, seconds in enumerate((10, 29, 31, 40, 61, 99), 1):
        now[0] = seconds
        lines.ran(RunsDone(number, 6))
    step = "size 2 of 4: 512 x 512"
    assert told == [step, f"{step}, run 3 of 6", f"{step}, run 5 of 6"]
    lines.stopping()
    assert told[-1] == "stopping: what is measured is printed; Ctrl-C again stops at once"


def test_in_a_log_each_step_has_the_time_of_day(capsys: pytest.CaptureFixture[str]) -> None:
    with step_progress("row") as progress:
        progress.began(1, 12, "baseline")
    assert re.fullmatch(r"\d\d:\d\d:\d\d row 1 of 12: baseline\n", capsys.readouterr().err)


def test_in_a_terminal_one_line_changes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shown, "error_console", lambda: Console(stderr=True, force_terminal=True, width=80))
    with step_progress("row") as progress:
        progress.began(1, 12, "baseline")
        progress.ran(RunsDone(1, 3))
    told = capsys.readouterr().err
    assert "row 1 of 12: baseline" in told
