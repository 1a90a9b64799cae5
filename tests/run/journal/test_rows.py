"""Rows of a journal and the files that they identify."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from gpen_fast.run.journal.rows import FileFacts, JournalRow, facts_of, parsed

ROW = JournalRow(
    "1931/ä\n.png",
    "/in/\udcff.jpg",
    FileFacts(3, 5, "ab"),
    FileFacts(7, 9, "cd"),
    "k",
    "restored",
    True,
    "",
    11,
)


@pytest.mark.parametrize("row", [ROW, JournalRow("a", "b", FileFacts(1, 2), None, "", "failed", error="why")])
def test_a_row_reads_back_from_its_line(row: JournalRow) -> None:
    line = row.line()
    assert line.startswith(b"\n") and line.count(b"\n") == 1
    assert parsed(line.decode()) == row


@pytest.mark.parametrize("cut", [1, 10, 40, len(ROW.line()) - 1])
def test_a_line_that_was_cut_short_holds_no_row(cut: int) -> None:
    assert parsed(ROW.line()[:cut].decode()) is None


@pytest.mark.parametrize(
    "line", ["[]", "7", "{}", '{"input":[1],"output":null}', "\ufffd", f"{ROW.line().decode()}{{}}"]
)
def test_a_line_of_anything_else_holds_no_row(line: str) -> None:
    assert parsed(line) is None


def test_a_file_is_the_same_by_size_and_time_and_else_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    facts = facts_of(path.stat(), hashlib.sha256(b"abc").hexdigest())
    assert facts.fits(path, path.stat())
    os.utime(path, ns=(1, 1))
    assert facts.fits(path, path.stat())
    assert facts.at(path.stat()).mtime_ns == 1
    path.write_bytes(b"abd")
    assert not facts.fits(path, path.stat())
    path.write_bytes(b"abcd")
    assert not facts.fits(path, path.stat())
