"""What becomes of a picture whose result, or a file under its name, is there."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import write_photo

from gpen_fast.image.exif_mark import marked
from gpen_fast.run.journal.judge import RESTORED, Judged, Wanted, judge, judge_in_place
from gpen_fast.run.journal.rows import FileFacts, JournalRow, facts_of


def facts(path: Path) -> FileFacts:
    return facts_of(path.stat(), hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_photo(tmp_path / "in.png", seed=1)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return write_photo(tmp_path / "out.png", seed=2)


def row_of(source: Path, target: Path, settings: str = "k") -> JournalRow:
    return JournalRow(target.name, str(source), facts(source), facts(target), settings, "restored")


def judged(
    source: Path, target: Path, *rows: JournalRow, key: str | None = "k", faces: bool = False
) -> Judged:
    return judge(Wanted(str(source), str(target), key, faces), rows)


def test_what_is_unchanged_is_done(source: Path, target: Path) -> None:
    assert judged(source, target, row_of(source, target)) == Judged("done", row_of(source, target))
    assert "done" not in RESTORED


def test_a_copied_folder_is_done_and_its_new_times_are_kept(source: Path, target: Path) -> None:
    row = row_of(source, target)
    os.utime(source, ns=(1, 1))
    os.utime(target, ns=(2, 2))
    found = judged(source, target, row)
    assert found.state == "done" and found.renewed
    assert (found.renewed.input.mtime_ns, found.renewed.output) == (1, replace(facts(target), mtime_ns=2))


def test_other_settings_and_missing_faces_are_made_again(source: Path, target: Path) -> None:
    row = row_of(source, target)
    assert judged(source, target, row, key="other").state == "other_settings"
    assert judged(source, target, row, key=None).state == "done"
    assert judged(source, target, row, faces=True).state == "other_settings"
    assert judged(source, target, replace(row, faces_saved=True)).state == "done"


def test_a_changed_picture_is_made_again(source: Path, target: Path) -> None:
    row = row_of(source, target)
    write_photo(source, seed=3)
    assert judged(source, target, row).state == "changed_input"


def test_the_result_of_another_picture_is_not_replaced_while_that_is_there(
    source: Path, target: Path
) -> None:
    row, other = row_of(source, target), write_photo(source.with_name("other.png"), seed=4)
    assert judged(other, target, row).state == "other_source" not in RESTORED
    source.unlink()
    assert judged(other, target, row).state == "changed_input"


def test_a_moved_picture_is_done(source: Path, target: Path) -> None:
    row = row_of(source, target)
    assert judged(source.rename(source.with_name("moved.png")), target, row).state == "done"


def test_a_result_that_was_edited_is_left(source: Path, target: Path) -> None:
    row = row_of(source, target)
    write_photo(target, seed=5)
    assert judged(source, target, row).state == "edited" not in RESTORED


@pytest.mark.parametrize("content", [b"", b"<html>no picture here"])
@pytest.mark.parametrize("recorded", [True, False])
def test_an_empty_or_foreign_file_is_made_again(
    source: Path, target: Path, content: bytes, recorded: bool
) -> None:
    rows = [row_of(source, target)] if recorded else []
    target.write_bytes(content)
    assert judged(source, target, *rows).state == "broken" in RESTORED


def test_a_result_without_a_row_is_adopted_once(source: Path, target: Path) -> None:
    found = judged(source, target)
    assert found.state == "adopted" and found.renewed and "adopted" not in RESTORED
    assert judged(source, target, found.renewed, key="any").state == "done"


def test_a_failed_or_absent_result_is_made(source: Path, target: Path) -> None:
    done = row_of(source, target)
    failed = replace(done, output=None, outcome="failed")
    assert judged(source, target, done, failed).state == "retried"
    target.unlink()
    assert judged(source, target, failed).state == "retried"
    assert judged(source, target, done).state == "new"


def test_a_run_killed_between_the_row_and_the_result_left_the_older_result(
    source: Path, target: Path
) -> None:
    old = row_of(source, target, "old")
    new = replace(old, settings="k", output=FileFacts(1, 1, "0"))
    assert judged(source, target, old, new).state == "other_settings"
    assert judged(source, target, old, new, key="old").state == "done"


def in_place(picture: Path, *rows: JournalRow, key: str = "k") -> str:
    return judge_in_place(Wanted(str(picture), str(picture), key), rows).state


def test_in_place_a_result_is_done_and_its_original_is_not(source: Path) -> None:
    original = source.read_bytes()
    before = facts(source)
    assert in_place(source) == "new"
    write_photo(source, seed=9)
    row = JournalRow(source.name, str(source), before, facts(source), "k", "restored")
    assert in_place(source, row) == "done"
    # What `gpen-fast undo` does.
    source.write_bytes(original)
    assert in_place(source, row) == "new"


def test_in_place_what_was_restored_with_other_settings_is_not_restored_twice(source: Path) -> None:
    row = row_of(source, source)
    assert in_place(source, row, key="other") == "kept_settings" not in RESTORED
    assert in_place(source, replace(row, outcome="no_face"), key="other") == "other_settings"


def test_in_place_marked_pictures_are_adopted_or_edited(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8)).save(path, exif=marked(None))
    assert in_place(path) == "adopted"
    other = JournalRow("a.jpg", str(path), FileFacts(1, 1, "0"), FileFacts(2, 2, "0"), "k", "restored")
    assert in_place(path, other) == "edited"
    Image.new("RGB", (8, 8)).save(path)
    assert in_place(path, other) == "new"
