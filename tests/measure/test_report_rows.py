"""Rows of a report."""

from __future__ import annotations

import json

from gpen_fast.measure.report_rows import OUTCOMES, PictureRow


def test_a_row_is_one_line_of_json_whatever_its_names_hold() -> None:
    row = PictureRow("a\n\udc80.png", "out/a.png", "restored", 2, 3, {"load": 1.25}, "large.", "")
    line = row.as_line()
    assert "\n" not in line
    line.encode()
    assert json.loads(line) == {
        "input": "a\n\udc80.png", "output": "out/a.png", "outcome": "restored", "faces": 2, "faces_found": 3,
        "times_ms": {"load": 1.25}, "note": "large.", "error": "",
    }  # fmt: skip


def test_outcomes_are_those_of_the_contract() -> None:
    assert OUTCOMES == ("restored", "no_face", "ignored", "skipped", "failed")
