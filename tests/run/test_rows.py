"""The row of each input."""

from __future__ import annotations

from pathlib import Path

from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.job import Failed, Finished, PictureSource
from gpen_fast.run.plan import Item
from gpen_fast.run.rows import row_of

ITEM = Item(Path("in/a.png"), Path("out/a.png"))
SOURCE = PictureSource(0, ITEM.source)


def test_a_picture_at_its_end_has_its_times_and_faces() -> None:
    done = Finished(
        SOURCE, "restored", 2, "large.", {"load": 1.00006, "save": 2.0}, faces_found=3, faces_left_out=1
    )
    times = {"load": 1.0001, "save": 2.0}
    assert row_of(ITEM, done) == PictureRow("in/a.png", "out/a.png", "restored", 2, 3, times, "large.")


def test_a_failure_has_its_cause_and_the_stages_that_it_passed() -> None:
    error = FileNotFoundError(2, "No such file or directory", "in/a.png")
    row = row_of(ITEM, Failed(SOURCE, error, {"load": 3.0}))
    assert row == PictureRow(
        "in/a.png", None, "failed", times_ms={"load": 3.0}, error="no such file or directory"
    )
