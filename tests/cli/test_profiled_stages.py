"""The plain form of `profile`: runs, failures, and an interrupt with and without a timeline."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from helpers import write_photo

from gpen_fast.cli import profiled_stages
from gpen_fast.cli.flags import ProfileOptions, RunOptions
from gpen_fast.cli.profile_request import ProfileRequest
from gpen_fast.cli.profiled_stages import measured_stages
from gpen_fast.settings import Settings


def request_of(paths: list[Path], weights: Path, **run: object) -> ProfileRequest:
    settings = Settings.from_flat(weights=str(weights), detector="none", keep_detail=0.0)
    return ProfileRequest(paths, settings, ProfileOptions(runs=2, warmup=0), RunOptions(**run))


def test_the_report_is_of_the_pictures_that_could_be_read(tmp_path: Path, tiny_weights: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    good = [write_photo(tmp_path / f"{name}.png") for name in "ab"]
    report = measured_stages(request_of([good[0], bad, good[1]], tiny_weights))
    assert [Path(row.path).name for row in report.mix] == ["a.png", "b.png"]
    assert [Path(each.path).name for each in report.failed] == ["bad.png"]
    with pytest.raises(typer.Exit) as ended:
        measured_stages(request_of([bad, bad], tiny_weights))
    assert ended.value.exit_code == 1


def test_only_a_trace_lets_the_run_end_at_an_interrupt(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Set:
        def __enter__(self) -> Set:
            return self

        def __exit__(self, *exception: object) -> None:
            """Nothing to put back."""

        def is_set(self) -> bool:
            return True

    monkeypatch.setattr(profiled_stages, "first_interrupt_stops", lambda tell: Set())
    paths = [write_photo(tmp_path / "a.png")]
    assert measured_stages(request_of(paths, tiny_weights)).images == 2
    with pytest.raises(typer.Exit) as ended:
        measured_stages(request_of(paths, tiny_weights, trace=tmp_path / "t.json"))
    assert ended.value.exit_code == 130
    assert "interrupted: the file of --trace holds what was timed until then" in capsys.readouterr().err
    assert (tmp_path / "t.json").exists()
