"""The row of each input: what became of it, for logs and reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gpen_fast.errors import reason
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.measure.stats import DECIMALS
from gpen_fast.run.job import Failed, Finished
from gpen_fast.run.plan import Item, Plan


def planned_rows(work: Plan) -> Iterator[PictureRow]:
    """A row for each input that is settled before the work: done already, no picture, or not readable at all."""
    notes: dict[Path, str] = {}
    for path, note in work.notes:
        notes[path] = f"{notes[path]} {note}" if path in notes else note
    for item in work.skipped:
        yield PictureRow(str(item.source), str(item.target), "skipped", note=notes.get(item.source, ""))
    for path in work.ignored:
        yield PictureRow(str(path), None, "ignored", note=notes.get(path, ""))
    for path, error in work.failed:
        yield PictureRow(str(path), None, "failed", error=error)


def row_of(item: Item, done: Finished | Failed) -> PictureRow:
    """The row of a picture that has come to its end."""
    source, times = str(item.source), {name: round(ms, DECIMALS) for name, ms in done.timing.items()}
    if isinstance(done, Failed):
        return PictureRow(source, None, "failed", times_ms=times, error=reason(done.error, item.source))
    return PictureRow(
        source, str(item.target), done.outcome, done.faces, done.faces_found, times, note=done.note
    )


def undone_rows(work: Plan, ended: int) -> Iterator[PictureRow]:
    """A row for each picture that the run did not come to, after the `ended` first ones of the plan."""
    for item in work.todo[ended:]:
        yield PictureRow(str(item.source), str(item.target), "not_done")
