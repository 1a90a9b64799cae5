"""Reports as JSON files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reports import report_of

from gpen_fast.errors import InputsError
from gpen_fast.measure.export.json import text_with_rows, write_json, write_report
from gpen_fast.measure.report import Report


def test_a_written_report_reads_back_as_the_same(tmp_path: Path) -> None:
    report = report_of()
    write_report(report, tmp_path / "new/r.json")
    assert Report.from_json(tmp_path / "new/r.json") == report
    assert (tmp_path / "new/r.json").read_text() == report.as_json()


def test_a_document_is_indented_and_ends_with_a_line(tmp_path: Path) -> None:
    write_json({"a": [1]}, tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text()
    assert text == '{\n  "a": [\n    1\n  ]\n}\n'
    assert json.loads(text) == {"a": [1]}


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    (tmp_path / "kept").chmod(0o400)
    with pytest.raises(InputsError, match=r"^--json .*kept: cannot be written: .*is read-only"):
        write_report(report_of(), tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "x"


def test_rows_stand_in_the_list_of_pictures_one_to_a_line() -> None:
    text = text_with_rows({"a": '"pictures": []', "pictures": [], "z": 1}, ['{"n": 1}', '{"n": 2}'])
    assert json.loads(text) == {"a": '"pictures": []', "pictures": [{"n": 1}, {"n": 2}], "z": 1}
    assert '\n    {"n": 1},\n    {"n": 2}\n' in text
    assert json.loads(text_with_rows({"a": 1, "pictures": []}, [])) == {"a": 1, "pictures": []}
