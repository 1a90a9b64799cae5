"""What a report says of a plan alone: inputs that were left out, and those that no run came to. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gpen_fast import __version__
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import FailedInput, InputNote
from gpen_fast.measure.report_rows import OUTCOMES, PictureRow
from gpen_fast.run.plan import Plan


def planned_rows(work: Plan) -> Iterator[PictureRow]:
    """A row for each input that is settled before the work: done already, no picture, or not readable at all."""
    notes: dict[str, str] = {}
    for path, note in work.notes:
        about = str(path)
        notes[about] = f"{notes[about]} {note}" if about in notes else note
    for item in work.skipped:
        yield PictureRow(item.source_path, item.target_path, "skipped", note=notes.get(item.source_path, ""))
    for path in work.ignored:
        yield PictureRow(str(path), None, "ignored", note=notes.get(str(path), ""))
    for path, error in work.failed:
        yield PictureRow(str(path), None, "failed", error=error)


def undone_rows(work: Plan, ended: int) -> Iterator[PictureRow]:
    """A row for each picture that the run did not come to, after the `ended` first ones of the plan."""
    for item in work.todo[ended:]:
        yield PictureRow(item.source_path, item.target_path, "not_done")


def nothing_done_report(work: Plan, *, dry_run: bool = False) -> Report:
    """The report of a run of `enhance` that restored nothing: what would have run is not known.

    Args:
        work: What was, or would be, to do.
        dry_run: The user asked for the plan alone. Without it, there was nothing to do.
    """
    return Report(
        "enhance",
        __version__,
        outcomes=outcomes_of(work, {}),
        failed=failed_inputs(work.failed),
        notes=input_notes(work.notes),
        ignored=[str(path) for path in work.ignored],
        not_done=len(work.todo),
        verdict="dry_run" if dry_run else "some_failed" if work.failed else "nothing_to_do",
    )


def outcomes_of(work: Plan, ended: Mapping[str, int]) -> dict[str, int]:
    """Inputs by what became of them: those that ended in the run, and those that the plan left out."""
    planned = {"skipped": len(work.skipped), "ignored": len(work.ignored), "failed": len(work.failed)}
    return {name: ended.get(name, 0) + planned.get(name, 0) for name in OUTCOMES}


def failed_inputs(told: Sequence[tuple[Path, str]]) -> list[FailedInput]:
    """Pictures that failed, each with its reason, as the report holds them."""
    return [FailedInput(str(path), error) for path, error in told]


def input_notes(told: Sequence[tuple[Path, str]]) -> list[InputNote]:
    """Paths and what the user should know of each, as the report holds them."""
    return [InputNote(str(path), note) for path, note in told]
