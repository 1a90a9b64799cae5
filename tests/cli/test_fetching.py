"""What a user sees of a download, and what Ctrl-C does to it."""

from __future__ import annotations

import io
import os
import signal
import threading

import pytest
import typer
from rich.console import Console
from rich.progress import Progress

from gpen_fast.cli.fetching import Bar, bar_for, interruptible


def test_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with bar_for("face") as bar:
        bar.start(0, 2_500_000)
        bar.advance(1_000_000)
        bar.start(0, 2_500_000)
        bar.start(1_000_000, 2_500_000)
        bar.note("next [source]")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "face: fetching 2.5 MB",
        "face: fetching 2.5 MB, resuming after 1.0 MB",
        "face: next [source]",
    ]


def test_a_server_that_does_not_say_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    with bar_for("face") as bar:
        bar.start(0, None)
    assert capsys.readouterr().err == "face: fetching unknown size\n"


def test_bar_on_a_terminal_counts_from_where_it_resumes() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    progress = Progress(console=console)
    bar = Bar("face", console, progress)
    bar.start(1_000, 5_000)
    bar.advance(500)
    (task,) = progress.tasks
    assert (task.completed, task.total) == (1_500, 5_000)
    assert "fetching" not in console.file.getvalue(), "a terminal shows the bar instead of lines"  # type: ignore[attr-defined]


def test_ctrl_c_ends_the_command_with_130_and_says_how_to_resume(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(typer.Exit) as end, interruptible():
        os.kill(os.getpid(), signal.SIGINT)
    assert end.value.exit_code == 130
    assert capsys.readouterr().err == (
        "interrupted: the bytes received are kept; run the same command to resume\n"
    )
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone() -> None:
    ran: list[object] = []

    def work() -> None:
        with interruptible():
            ran.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [before]
