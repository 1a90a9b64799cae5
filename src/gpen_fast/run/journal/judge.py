"""Whether a picture's result is there already, and is what this run would make. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gpen_fast.image.exif_mark import is_marked
from gpen_fast.run.journal.rows import FileFacts, JournalRow, facts_of

ResultState = Literal[
    "new",
    "done",
    "adopted",
    "retried",
    "broken",
    "changed_input",
    "other_settings",
    "kept_settings",
    "edited",
    "other_source",
]
# The states in which the picture is restored, again or for the first time.
RESTORED: frozenset[ResultState] = frozenset({"new", "retried", "broken", "changed_input", "other_settings"})
# First bytes of the formats that are written. A result with other first bytes is not a picture.
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"P6")
# Bytes. No picture of any format is shorter.
_LEAST = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run would make of one picture."""

    source: str
    """The picture's file."""

    target: str
    """The result's file."""

    key: str | None
    """The key of its settings; None where it is not known, so that any settings are accepted."""

    faces: bool = False
    """Its faces are to be written beside the result."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of a picture's result."""

    state: ResultState
    """What it is."""

    row: JournalRow | None = None
    """The row that speaks of it."""

    renewed: JournalRow | None = None
    """The same row with the files' present times, where these differ; or the row of a result without one."""


def judge(wanted: Wanted, rows: Sequence[JournalRow]) -> Judged:
    """Judges the result in an output folder.

    Args:
        wanted: What the run would make.
        rows: What earlier runs recorded of this result, oldest first.
    """
    try:
        status = os.stat(wanted.target)  # noqa: PTH116  faster than Path.stat for many pictures
    except (OSError, ValueError):
        return Judged("retried" if rows and rows[-1].outcome == "failed" else "new")
    row = _row_of(wanted.target, status, rows)
    if row is None:
        if not _looks_whole(wanted.target, status):
            return Judged("broken")
        if any(row.output for row in rows):
            return Judged("edited")
        return Judged("adopted", renewed=_adopted(wanted, status))
    if rows[-1].outcome == "failed":
        return Judged("retried", row)
    return _of_recorded(wanted, row, status)


def judge_in_place(wanted: Wanted, rows: Sequence[JournalRow]) -> Judged:
    """Judges a picture that results replace: it is done only if its present content is what a run left there.

    Args:
        wanted: What the run would make; its target is the picture itself.
        rows: What earlier runs recorded of this picture, oldest first.
    """
    try:
        status = os.stat(wanted.target)  # noqa: PTH116
    except (OSError, ValueError):
        return Judged("new")  # loading it reports the cause
    row = _row_of(wanted.target, status, rows)
    if row is None:
        if rows and any(each.input.fits(wanted.target, status) for each in rows):
            return Judged("retried" if rows[-1].outcome == "failed" else "new")
        if is_marked(Path(wanted.target)):
            return Judged("edited") if rows else Judged("adopted", renewed=_adopted(wanted, status))
        return Judged("new")
    if row.settings and wanted.key and row.settings != wanted.key:
        # What was restored already is not restored again: that would be the restoration of a restoration.
        return Judged("kept_settings" if row.outcome == "restored" else "other_settings", row)
    return Judged("done", row, _at_present(row, row.input, status))


def _of_recorded(wanted: Wanted, row: JournalRow, status: os.stat_result) -> Judged:
    try:
        now = os.stat(wanted.source)  # noqa: PTH116
    except OSError:
        return Judged("changed_input", row)  # loading it reports the cause
    if not row.input.fits(wanted.source, now):
        elsewhere = row.source != os.path.abspath(wanted.source)  # noqa: PTH100
        # The result of another picture that is still there is not replaced: both would have the same name.
        return Judged("other_source" if elsewhere and Path(row.source).exists() else "changed_input", row)
    if row.settings and wanted.key and row.settings != wanted.key:
        return Judged("other_settings", row)
    if wanted.faces and not row.faces_saved:
        return Judged("other_settings", row)
    return Judged("done", row, _at_present(row, row.input.at(now), status))


def _at_present(row: JournalRow, source: FileFacts, status: os.stat_result) -> JournalRow | None:
    """The row with the files' present times; None where it has them."""
    assert row.output
    output = row.output.at(status)
    if source is row.input and output is row.output:
        return None
    return replace(row, input=source, output=output)


def _row_of(path: str, status: os.stat_result, rows: Sequence[JournalRow]) -> JournalRow | None:
    """The newest row whose output the file is. A run that was killed may have left a row without its file."""
    for row in reversed(rows):
        if row.output and row.output.fits(path, status):
            return row
    return None


def _adopted(wanted: Wanted, status: os.stat_result) -> JournalRow:
    source = facts_of(os.stat(wanted.source))  # noqa: PTH116
    path = os.path.abspath(wanted.source)  # noqa: PTH100
    return JournalRow("", path, source, facts_of(status), "", "adopted", wanted.faces)


def _looks_whole(path: str, status: os.stat_result) -> bool:
    """Whether a file of unknown origin begins as a picture does: an empty or a foreign one is no result."""
    if status.st_size < _LEAST:
        return False
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(_LEAST).startswith(_BEGINNINGS)
    except OSError:
        return True  # it is not replaced because it cannot be read
