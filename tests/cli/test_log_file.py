"""`--log`: a line for each input, whole or not at all."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from gpen_fast.cli.log_file import log_file, row_text
from gpen_fast.errors import InputsError
from gpen_fast.measure.report_rows import PictureRow

ROW = PictureRow("in/a.png", "out/a.png", "restored", 1, 2, {"load": 3.25, "save": 12.0}, "large.")


def test_a_line_is_there_as_soon_as_it_is_added(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_text("of an earlier run")  # whose last line a full disk cut short
    with log_file(path, "text") as log:
        assert log is not None
        log.remark("gpen-fast")
        log.add(ROW)
        before, remark, line = path.read_text().splitlines()
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert before == "of an earlier run"
    assert re.fullmatch(rf"# {stamp} gpen-fast", remark)
    assert re.fullmatch(rf"{stamp} {re.escape(row_text(ROW))}", line)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            ROW,
            "restored in/a.png -> out/a.png; 1 face; 2 faces found; load 3.2 save 12.0 ms; note: large.",
        ),
        (PictureRow("b\n.jpg", None, "failed", error="torn."), r"failed b\n.jpg: torn."),
        (PictureRow("c.txt", None, "ignored"), "ignored c.txt (no picture)"),
        (PictureRow("d.png", "o/d.png", "skipped"), "skipped d.png -> o/d.png (done already)"),
        (PictureRow("e.png", "o/e.png", "no_face", 0, 3), "no_face e.png -> o/e.png; 3 faces found"),
    ],
)
def test_a_row_is_one_line_of_text(row: PictureRow, told: str) -> None:
    assert row_text(row) == told


def test_every_line_of_json_is_one_input_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with log_file(path, "json") as log:
        assert log is not None
        log.remark("not a row")
        log.add(PictureRow("odd\udc80.png", None, "ignored"))
        log.add(ROW)
    first, second = map(json.loads, path.read_text().splitlines())
    assert first["input"] == "odd\udc80.png"
    assert datetime.fromisoformat(second.pop("time")).tzinfo is not None
    assert second == json.loads(ROW.as_line())


def test_a_full_disk_is_told_once_and_does_not_end_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    with log_file(Path("/dev/full"), "text") as log:
        assert log is not None
        log.add(ROW)
        log.add(ROW)
    assert capsys.readouterr().err == (
        "note: --log /dev/full: no space left on device. The run goes on without it.\n"
    )


def test_a_log_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputsError, match=r"^--log .*: cannot be written: is a directory\."), log_file(
        tmp_path, "text"
    ):  # fmt: skip
        pass
    with log_file(None, "text") as log:
        assert log is None
