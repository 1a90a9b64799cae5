"""The row of a picture that a run has dealt with, for logs and reports."""

from __future__ import annotations

from gpen_fast.errors import reason
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.measure.stats import DECIMALS
from gpen_fast.run.job import Failed, Finished
from gpen_fast.run.plan import Item


def row_of(item: Item, done: Finished | Failed) -> PictureRow:
    """The row of a picture that has come to its end."""
    source, times = item.source_path, {name: round(ms, DECIMALS) for name, ms in done.timing.items()}
    if isinstance(done, Failed):
        return PictureRow(source, None, "failed", times_ms=times, error=reason(done.error, item.source))
    return PictureRow(
        source, item.target_path, done.outcome, done.faces, done.faces_found, times, note=done.note
    )
