"""A result may have its picture's dates."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import EXAMPLES, write_photo
from PIL import Image

from gpen_fast.run import dates
from gpen_fast.run.dates import dates_of, give_dates

_ACCESS, _CHANGE = 1_000_000_000_000_000_000, 500_000_000_123_456_700


def test_dates_go_over(tmp_path: Path) -> None:
    old, new = write_photo(tmp_path / "old.png"), write_photo(tmp_path / "new.png")
    os.utime(old, ns=(_ACCESS, _CHANGE))
    (tmp_path / "link.png").symlink_to(old)
    assert give_dates(new, dates_of(tmp_path / "link.png")) == ""
    assert new.stat().st_mtime_ns == _CHANGE


def test_file_system_that_refuses_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = write_photo(tmp_path / "new.png")

    def refused(path: Path, ns: tuple[int, int]) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(dates.os, "utime", refused)
    assert give_dates(new, (1, 1)) == "its date could not be kept (operation not permitted)."


@pytest.mark.parametrize("in_place", [False, True])
def test_run_keeps_dates(enhance, tmp_path: Path, in_place: bool) -> None:
    (tmp_path / "in").mkdir()
    with Image.open(EXAMPLES / "astronaut.png") as image:
        image.convert("RGB").crop((80, 0, 340, 280)).save(tmp_path / "in/face.jpg")
    write_photo(tmp_path / "in/none.jpg")
    for file in (tmp_path / "in").iterdir():
        os.utime(file, ns=(_ACCESS, _CHANGE))
    places = ["--in-place"] if in_place else [tmp_path / "out", "--format", "png"]
    assert enhance(tmp_path / "in", *places, "--keep-dates").status == 0
    results = [tmp_path / "in/face.jpg"] if in_place else sorted((tmp_path / "out").glob("*.png"))
    assert [result.stat().st_mtime_ns for result in results] == [_CHANGE] * len(results)


def test_results_have_the_time_of_the_run_otherwise(enhance, tmp_path: Path) -> None:
    os.utime(write_photo(tmp_path / "none.jpg"), ns=(_ACCESS, _CHANGE))
    assert enhance(tmp_path / "none.jpg", tmp_path / "none.png").status == 0
    assert (tmp_path / "none.png").stat().st_mtime_ns > _CHANGE
