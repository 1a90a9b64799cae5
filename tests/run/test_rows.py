"""The row of each input."""

from __future__ import annotations

from pathlib import Path

from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.job import Failed, Finished, PictureSource
from gpen_fast.run.plan import Item, Plan
from gpen_fast.run.rows import planned_rows, row_of, undone_rows

ITEM = Item(Path("in/a.png"), Path("out/a.png"))
SOURCE = PictureSource(0, ITEM.source)


def test_what_the_plan_settles_has_rows() -> None:
    work = Plan(
        skipped=[ITEM], ignored=[Path("in/b.txt")], failed=[(Path("in/c.png"), "is a pipe.")],
        notes=[(Path("in/a.png"), "odd."), (Path("in/a.png"), "large.")],
    )  # fmt: skip
    assert list(planned_rows(work)) == [
        PictureRow("in/a.png", "out/a.png", "skipped", note="odd. large."),
        PictureRow("in/b.txt", None, "ignored"),
        PictureRow("in/c.png", None, "failed", error="is a pipe."),
    ]


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


def test_pictures_that_the_run_did_not_come_to_are_the_last_of_the_plan() -> None:
    items = [Item(Path(f"{name}.png"), Path(f"out/{name}.png")) for name in "abc"]
    rows = list(undone_rows(Plan(todo=items), 2))
    assert rows == [PictureRow("c.png", "out/c.png", "not_done")]
