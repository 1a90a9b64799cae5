"""The progress bar."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from gpen_fast.cli.progress import PictureBar, progress_over


def bar_in_a_terminal(total: int) -> tuple[PictureBar, Progress, io.StringIO]:
    said = io.StringIO()
    progress = Progress(console=Console(file=said, force_terminal=True, width=100))
    return PictureBar(progress, total), progress, said


def test_each_picture_moves_the_bar_by_one() -> None:
    bar, progress, _ = bar_in_a_terminal(3)
    bar.advance(Path("a.png"))
    bar.advance(Path("b.png"))
    assert (progress.tasks[0].completed, progress.tasks[0].total) == (2, 3)


def test_an_interrupt_says_what_happens_now() -> None:
    bar, _, said = bar_in_a_terminal(3)
    bar.stopping()
    assert "stopping: pictures in the network are finished; Ctrl-C again stops at once" in said.getvalue()


def test_nothing_is_drawn_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_over(2, quiet=False) as bar:
        bar.advance(Path("a.png"))
    assert capsys.readouterr() == ("", "")


def test_quiet_draws_nothing_in_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich takes that for a terminal
    with progress_over(2, quiet=True) as bar:
        bar.advance(Path("a.png"))
    assert capsys.readouterr().err == ""
    with progress_over(2, quiet=False) as bar:
        bar.advance(Path("a.png"))
    assert "1/2" in capsys.readouterr().err
