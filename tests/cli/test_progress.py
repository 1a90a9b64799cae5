"""How a run shows that it works."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.console import Console
from rich.progress import Progress

from gpen_fast.cli.progress import PictureBar, ProgressLines, progress_over
from gpen_fast.measure.report_rows import PictureRow

GOOD = PictureRow("a.png", "out/a.png", "restored", 1)
BAD = PictureRow("b[1].png", None, "failed", error="torn.")
STOPPING = "stopping: pictures in the network are finished; Ctrl-C again stops at once"


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def bar_in_a_terminal(total: int) -> tuple[PictureBar, Progress, io.StringIO]:
    said = io.StringIO()
    progress = Progress(console=Console(file=said, force_terminal=True, width=100))
    return PictureBar(progress, total), progress, said


def test_each_picture_and_each_run_moves_the_bar_by_one() -> None:
    bar, progress, _ = bar_in_a_terminal(3)
    bar.advance(GOOD)
    bar.ran(1, 20.0)
    assert (progress.tasks[0].completed, progress.tasks[0].total) == (2, 3)


def test_an_interrupt_says_what_happens_now(capsys: pytest.CaptureFixture[str]) -> None:
    bar, _, said = bar_in_a_terminal(3)
    bar.stopping()
    assert STOPPING in said.getvalue()
    ProgressLines(3, quiet=True).stopping()
    assert capsys.readouterr().err == f"{STOPPING}\n"


def test_an_interrupt_in_the_middle_of_a_line_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(io.StringIO):
        def write(self, text: str) -> int:
            raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    monkeypatch.setattr(sys, "stderr", Busy())
    ProgressLines(3, quiet=False).stopping()


def test_without_a_terminal_there_is_a_line_every_ten_seconds_at_most(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    lines = ProgressLines(40_000, quiet=False, now=clock)
    for _ in range(100):  # 3 s each
        clock.now += 3.0
        lines.advance(GOOD)
    told = capsys.readouterr().err.splitlines()
    # After 12 s, then whenever 10 s have passed: each fourth picture.
    assert len(told) == 25
    assert all(len(line) <= 80 for line in told)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d 100 of 40000 pictures \(0%\); 0\.33 a second, 33 h 15 min left", told[-1]
    )


def test_the_time_left_follows_the_speed_of_the_last_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = ProgressLines(1000, quiet=False, now=clock)
    for _ in range(600):  # ten a second
        clock.now += 0.1
        lines.advance(GOOD)
    for _ in range(12):  # then one in ten seconds
        clock.now += 10.0
        lines.advance(GOOD)
    assert capsys.readouterr().err.splitlines()[-1].endswith("; 0.10 a second, 1 h 4 min left")


def test_a_failure_is_told_at_once_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = ProgressLines(3, quiet=False, now=clock)
    lines.advance(BAD)
    assert capsys.readouterr().err == "failed b[1].png: torn.\n"
    clock.now += 20.0
    lines.advance(GOOD)
    assert "2 of 3 pictures (66%), 1 failed; 0.10 a second, 10 s left" in capsys.readouterr().err
    clock.now += 20.0
    lines.advance(GOOD)
    assert capsys.readouterr().err == "", "the summary follows the last picture"


def test_quiet_tells_failures_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    lines = ProgressLines(3, quiet=True, now=clock)
    clock.now += 60.0
    lines.advance(GOOD)
    lines.ran(1, 20.0)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich takes that for a terminal
    with progress_over(2, quiet=True) as progress:
        progress.advance(BAD)
    assert "1/2" not in capsys.readouterr().err


def test_in_a_terminal_there_is_a_bar_and_failures_stand_above_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_over(2, quiet=False) as progress:
        progress.advance(BAD)
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert "failed b[1].png: torn." in said
    assert "1/2" in said


def test_without_a_terminal_a_short_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_over(2, quiet=False) as progress:
        progress.advance(GOOD)
    assert capsys.readouterr() == ("", "")
