"""Failures and notes as lines on standard error."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from gpen_fast.cli.names import shown
from gpen_fast.measure.report_parts import InputNote

# Notes that say different things, at most, after a run.
_MOST_NOTES = 10


def print_failure(path: Path | str, cause: str) -> None:
    """Prints one failed input. A `str` is an address or a file's name: a path would lose a slash of `tcp://`."""
    error_console().print(f"[red]failed[/] {escape(shown(path))}: {escape(cause)}")


def print_notes(notes: list[InputNote]) -> None:
    """Prints the notes of a run, each text once, with the first input that it is about."""
    inputs: dict[str, list[str]] = {}
    for told in notes:
        inputs.setdefault(told.note, []).append(told.path)
    for note, paths in list(inputs.items())[:_MOST_NOTES]:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        error_console().print(f"[yellow]note[/] {escape(shown(Path(paths[0])))}{more}: {escape(note)}")
    if len(inputs) > _MOST_NOTES:
        error_console().print(
            f"[yellow]note[/] {len(inputs) - _MOST_NOTES} other notes are in --json and --log only"
        )


def error_console() -> Console:
    """A console on standard error."""
    return Console(stderr=True, soft_wrap=True, highlight=False)
