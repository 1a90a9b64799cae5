"""Where `--json` writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer

from gpen_fast.cli.json_target import json_target
from gpen_fast.errors import InputsError


def test_standard_output_holds_the_json_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    target = json_target("-")
    with target.words_elsewhere():
        typer.echo("for people")
        target.write({"schema": 1, "pictures": []}, ['{"n": 1}'])
    out, err = capsys.readouterr()
    assert json.loads(out) == {"schema": 1, "pictures": [{"n": 1}]}
    assert err == "for people\n"
    assert target.wanted


def test_a_file_leaves_standard_output_to_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = json_target(str(tmp_path / "r.json"))
    with target.words_elsewhere():
        typer.echo("for people")
        target.write({"schema": 1})
    assert json.loads((tmp_path / "r.json").read_text()) == {"schema": 1}
    assert capsys.readouterr() == ("for people\n", "")


def test_without_the_flag_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    target = json_target(None)
    target.write({"schema": 1}, iter(()))
    assert not target.wanted
    assert capsys.readouterr() == ("", "")


def test_a_name_that_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputsError, match=r"^--json .*: is a folder\. Name a \.json file\."):
        json_target(str(tmp_path))
    assert sys.stdout.writable()
