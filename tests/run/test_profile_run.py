"""`profile`: every run waited for, the first one apart, nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from helpers import write_photo

from gpen_fast.errors import PictureError
from gpen_fast.run import profile_run
from gpen_fast.run.profile_run import profile_picture
from gpen_fast.run.runtime import Runtime


class Runs:
    """Notes the numbers of the runs that it is told of."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def ran(self, number: int, ms: float) -> None:
        assert ms > 0
        self.numbers.append(number)


def test_only_the_counted_runs_are_in_the_report(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, written = [], []
    write = profile_run.write_file
    monkeypatch.setattr(profile_run, "synchronize", waits.append)
    monkeypatch.setattr(
        profile_run, "write_file", lambda path, data: written.append(data) or write(path, data)
    )
    told = Runs()
    report = profile_picture(
        runtime, write_photo(tmp_path / "a.png"), runs=3, warmup=2, target_fps=30.0, progress=told
    )
    rows = {row.name: row for row in report.stages}
    stages = ("load", "crop", "generate", "save")
    assert [rows[stage].count for stage in stages] == [3] * 4
    assert len(written) == 1 + 2 + 3
    assert told.numbers == [1, 2, 3, 4, 5, 6]
    assert len(set(written)) == 1, "every run gives the same picture"
    assert len(waits) >= len(written) * len(stages), "each stage waits for the device"
    assert (report.images, report.faces, report.runs, report.warmup) == (3, 3, 3, 2)
    assert report.throughput_per_s == pytest.approx(1e3 / report.wall_ms.mean, rel=1e-3)


def test_wall_time_is_the_stages_and_what_is_unaccounted(runtime: Runtime, tmp_path: Path) -> None:
    report = profile_picture(
        runtime, write_photo(tmp_path / "a.png"), runs=4, warmup=0, target_fps=30.0, progress=Runs()
    )
    mean = report.wall_ms.mean
    staged = sum(row.host_ms.mean * row.count for row in report.stages if row.host_ms) / 4
    # Nine figures, each rounded to four decimals.
    assert report.unaccounted_ms == pytest.approx(mean - staged, abs=9 * 0.00005)
    assert 0 <= report.unaccounted_ms < mean
    assert sum(row.share for row in report.stages) == pytest.approx(staged / mean, abs=9 * 0.00005)
    assert report.first_call_ms > 0


def test_a_bad_picture_is_raised_and_no_file_stays(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(PictureError):
        profile_picture(runtime, tmp_path / "text.png", runs=1, warmup=0, target_fps=30.0, progress=Runs())
    profile_picture(
        runtime, write_photo(tmp_path / "a.png"), runs=1, warmup=0, target_fps=30.0, progress=Runs()
    )
    assert list(folder.iterdir()) == []
