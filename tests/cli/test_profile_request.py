"""What a measurement of rows is asked for is what the command line was given."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import EXAMPLES

from gpen_fast.cli import ladder
from gpen_fast.cli.profile_request import ProfileRequest
from gpen_fast.measure.report import Report


@pytest.mark.parametrize("flag", ["--trace"])
@pytest.mark.parametrize("instead", [["--ladder"], ["--sweep", "256"]])
def test_what_is_made_of_stages_contradicts_rows(cli, tmp_path: Path, flag: str, instead: list[str]) -> None:
    ran = cli("profile", EXAMPLES / "astronaut.png", *instead, flag, tmp_path / "a.md")
    assert ran.status == 2
    assert f"{flag} is for the plain profile, not for {instead[0]}: leave one out." in ran.err


def test_pictures_and_flags_arrive(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ProfileRequest] = []

    def measured(request: ProfileRequest) -> Report:
        asked.append(request)
        return Report("profile", "0", verdict="all_done")

    monkeypatch.setattr(ladder, "measured_ladder", measured)
    first, second = EXAMPLES / "astronaut.png", EXAMPLES / "grace_hopper.jpg"
    flags = ["--runs", 7, "--warmup", 0, "--published", "--only-largest"]
    assert cli("profile", "--ladder", first, second, *flags).status == 0
    (request,) = asked
    assert list(request.images) == [Path(first), Path(second)]
    options = request.options
    assert (options.runs, options.warmup, options.published, options.ladder) == (7, 0, True, True)
    assert request.settings.detect.only_largest
