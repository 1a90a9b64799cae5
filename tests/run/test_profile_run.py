"""`profile`: every run waited for, the first one apart, nothing left behind."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from helpers import write_photo

from gpen_fast.errors import PictureError
from gpen_fast.run import profile_run
from gpen_fast.run.profile_run import profile_picture, profile_pictures
from gpen_fast.run.runtime import Runtime


class Runs:
    """Notes the numbers of the runs that it is told of."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.failures: list[tuple[str, str]] = []

    def ran(self, number: int, ms: float) -> None:
        assert ms > 0
        self.numbers.append(number)

    def failed(self, path: Path, why: str) -> None:
        self.failures.append((path.name, why))


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


def test_a_mix_is_passed_over_again_and_again_without_what_failed(runtime: Runtime, tmp_path: Path) -> None:
    paths = [write_photo(tmp_path / f"{name}.png", width=width) for name, width in (("a", 64), ("b", 96))]
    paths.insert(1, tmp_path / "bad.png")
    paths[1].write_text("no picture")
    told = Runs()
    report = profile_pictures(runtime, paths, runs=3, warmup=1, target_fps=30.0, progress=told)
    assert report is not None
    assert told.numbers == list(range(1, 11)), (
        "two pictures in one first, one warm-up and three counted passes"
    )
    assert [name for name, _ in told.failures] == ["bad.png"]
    assert [Path(each.path).name for each in report.failed] == ["bad.png"]
    assert (report.runs, report.images, report.faces) == (3, 6, 6)
    assert [(Path(row.path).name, row.width, row.runs, row.faces) for row in report.mix] == [
        ("a.png", 64, 3, 1), ("b.png", 96, 3, 1),
    ]  # fmt: skip
    rows = {row.name: row for row in report.stages}
    assert rows["load"].count == rows["save"].count == 6
    assert report.first_result_ms == pytest.approx(report.model_load_ms + report.first_call_ms, abs=0.001)


def test_a_picture_that_goes_away_keeps_what_was_measured(runtime: Runtime, tmp_path: Path) -> None:
    paths = [write_photo(tmp_path / f"{name}.png") for name in "ab"]

    class Removes(Runs):
        def ran(self, number: int, ms: float) -> None:
            super().ran(number, ms)
            if number == 4:
                paths[0].unlink()

    report = profile_pictures(runtime, paths, runs=3, warmup=0, target_fps=30.0, progress=Removes())
    assert report is not None
    assert [row.runs for row in report.mix] == [1, 3]
    assert [each.error for each in report.failed] == ["no such file or directory"]
    staged = sum(row.total_ms for row in report.stages)
    assert 0 <= report.unaccounted_ms * 4 == pytest.approx(report.wall_ms.mean * 4 - staged, abs=0.01)


def test_nothing_is_reported_of_a_mix_that_failed_or_was_stopped(runtime: Runtime, tmp_path: Path) -> None:
    bad = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in bad:
        path.write_text("no picture")
    assert profile_pictures(runtime, bad, runs=1, warmup=0, target_fps=30.0, progress=Runs()) is None
    stopped, good = threading.Event(), [write_photo(tmp_path / f"{number}.png") for number in range(3)]

    class Stops(Runs):
        def ran(self, number: int, ms: float) -> None:
            super().ran(number, ms)
            stopped.set()

    told = Stops()
    made = profile_pictures(runtime, good, runs=9, warmup=0, target_fps=30.0, progress=told, stopped=stopped)
    assert made is None
    assert told.numbers == [1], "the run that goes on is ended"
