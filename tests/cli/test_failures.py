"""Failures and notes as lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.cli.failures import error_console, print_failure, print_notes
from gpen_fast.measure.report_parts import InputNote


def test_a_failure_is_one_line_whatever_its_name_holds(capsys: pytest.CaptureFixture[str]) -> None:
    print_failure(Path("a\n[red].png"), "x" * 100)
    assert capsys.readouterr() == ("", f"failed a\\n[red].png: {'x' * 100}\n")


def test_a_note_on_many_pictures_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    notes = [InputNote(f"{number}.png", "smaller.") for number in range(2000)]
    print_notes([*notes, InputNote("b.png", "odd.")])
    assert capsys.readouterr().err == "note 0.png and 1999 more: smaller.\nnote b.png: odd.\n"


def test_notes_are_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    print_notes([InputNote(f"{number}.png", f"odd {number}.") for number in range(13)])
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 11
    assert told[-1] == "note 3 other notes are in --json and --log only"


def test_lines_of_errors_are_not_wrapped() -> None:
    assert error_console().soft_wrap
    assert error_console().stderr
