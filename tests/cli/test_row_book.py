"""Where the row of each input goes."""

from __future__ import annotations

import json
from pathlib import Path

from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.row_book import row_book
from gpen_fast.measure.report_rows import PictureRow

BAD = PictureRow("b.png", None, "failed", error="torn.")
LATER = PictureRow("c.png", "o/c.png", "not_done")


def test_log_and_json_get_the_same_rows_and_the_json_those_not_done(tmp_path: Path) -> None:
    run = RunOptions(log=tmp_path / "l.jsonl", log_format="json", json_file="-")
    with row_book(run) as book:
        book.add(BAD)
        book.add_undone([LATER])
    logged = [json.loads(line)["input"] for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    assert logged == ["b.png"]
    assert [json.loads(line)["input"] for line in book.lines()] == ["b.png", "c.png"]
    assert book.failed == 1


def test_without_the_flags_failures_are_counted_only(tmp_path: Path) -> None:
    with row_book(RunOptions()) as book:
        book.add(BAD)
        book.add_undone([LATER])
    assert (book.failed, book.log, list(book.lines())) == (1, None, [])


def test_a_dry_run_leaves_no_log(tmp_path: Path) -> None:
    with row_book(RunOptions(log=tmp_path / "l.log", dry_run=True)) as book:
        book.add(BAD)
    assert not (tmp_path / "l.log").exists()
