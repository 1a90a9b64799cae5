"""What a report says of a plan alone."""

from __future__ import annotations

from pathlib import Path

from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.plan import Item, Plan
from gpen_fast.run.planned import nothing_done_report, planned_rows, undone_rows

ITEM = Item(Path("in/a.png"), Path("out/a.png"))


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


def test_pictures_that_the_run_did_not_come_to_are_the_last_of_the_plan() -> None:
    items = [Item(Path(f"{name}.png"), Path(f"out/{name}.png")) for name in "abc"]
    rows = list(undone_rows(Plan(todo=items), 2))
    assert rows == [PictureRow("c.png", "out/c.png", "not_done")]


def test_a_plan_alone_has_a_report() -> None:
    work = Plan(todo=[ITEM], skipped=[ITEM], failed=[(Path("c.png"), "is a pipe.")])
    report = nothing_done_report(work, dry_run=True)
    assert (report.not_done, report.verdict) == (1, "dry_run")
    assert (report.outcomes["skipped"], report.outcomes["failed"]) == (1, 1)
    assert [(one.path, one.error) for one in report.failed] == [("c.png", "is a pipe.")]
    assert nothing_done_report(work).verdict == "some_failed"
