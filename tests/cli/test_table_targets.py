"""Where `--csv` and `--markdown` write."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import typer
from helpers import write_photo
from reports import report_of

from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.table_targets import table_targets
from gpen_fast.errors import InputsError, SettingsError
from gpen_fast.measure.export.csv import report_csv
from gpen_fast.measure.export.markdown import report_markdown
from gpen_fast.settings import STAGES


def test_standard_output_holds_the_table_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    targets = table_targets(RunOptions(csv="-"))
    with targets.words_elsewhere():
        typer.echo("for people")
        targets.write(report_of())
    assert capsys.readouterr() == (report_csv(report_of()), "for people\n")


def test_files_leave_standard_output_to_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = table_targets(RunOptions(csv=str(tmp_path / "r.csv"), markdown=str(tmp_path / "r.md")))
    with targets.words_elsewhere():
        typer.echo("for people")
        targets.write(report_of())
    assert (tmp_path / "r.csv").read_text() == report_csv(report_of())
    assert (tmp_path / "r.md").read_text() == report_markdown(report_of())
    assert capsys.readouterr() == ("for people\n", "")


def test_two_that_mean_standard_output_are_refused() -> None:
    with pytest.raises(
        SettingsError, match=r"^--json - and --markdown - both mean standard output: name a file"
    ):
        table_targets(RunOptions(json_file="-", markdown="-"))


def test_a_name_that_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputsError, match=r"^--csv .*: is a folder\. Name a \.csv file\."):
        table_targets(RunOptions(csv=str(tmp_path)))
    with pytest.raises(InputsError, match=r"^--markdown a\.jpg: is a picture\. Name a \.md file\."):
        table_targets(RunOptions(markdown="a.jpg"))


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("x")
    path.chmod(0o400)
    with pytest.raises(InputsError, match=r"^--csv .*: cannot be written: .*is read-only"):
        table_targets(RunOptions(csv=str(path))).write(report_of())


def test_enhance_writes_them(
    cli, tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_photo(Path("in/a.png"))
    command = ("enhance", "in", "out", "--weights", tiny_weights, "--skip-detect", "--overwrite")
    ran = cli(*command, "--csv", "-", "--markdown", "r.md", "--json", "r.json")
    assert ran.status == 0
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    report = json.loads(Path("r.json").read_text())
    assert [row["stage"] for row in rows] == list(STAGES)
    assert [float(row["host_total_ms"] or 0) for row in rows] == [row["total_ms"] for row in report["stages"]]
    assert "pictures: " in ran.err
    assert Path("r.md").read_text().startswith("`gpen-fast enhance` on cpu")
    same = cli(*command, "--csv", "r.x", "--markdown", "r.x")
    assert same.status == 2
    assert "--markdown r.x: is the file of --csv too. Name two files." in same.err
    piped = cli("enhance", "in/a.png", "-", "--weights", tiny_weights, "--markdown", "-")
    assert piped.status == 2
    assert "the output - and --markdown - both mean standard output" in piped.err
