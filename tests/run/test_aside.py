"""What processes note for their parent arrives in its report, as if one process had done it all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from helpers import write_photo
from small_runs import Silent, run_small, small_plan

from gpen_fast.detections.file_format import read_detections
from gpen_fast.run import enhance as enhance_module
from gpen_fast.run import sink as sink_module
from gpen_fast.run.enhance import Watchers, run_enhance
from gpen_fast.run.plan import Item
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.watchdog import Watchdog
from gpen_fast.settings import OutputOptions, Settings


@pytest.fixture(autouse=True)
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enhance_module, "lanes_for", lambda runtime, pictures: 2)


def test_times_of_all_calls_are_counted(runtime: Runtime, tmp_path: Path) -> None:
    rows = {row.name: row for row in run_small(runtime, small_plan(tmp_path, 11)).stages}
    assert (rows["load"].count, rows["save"].count, rows["generate"].items) == (11, 11, 11)
    assert all(rows[name].total_ms > 0 for name in ("load", "crop", "generate", "save"))


def test_faces_that_the_processes_found_are_saved_and_read_back(detecting: Runtime, tmp_path: Path) -> None:
    found = tmp_path / "faces.jsonl"
    work = small_plan(tmp_path, 9)
    report = run_enhance(detecting, work, OutputOptions(save_landmarks=found), Silent())
    assert report.landmarks.saved == 9
    assert len(read_detections(found)) == 9
    known = load_runtime(
        Settings.from_flat(
            weights=detecting.settings.weights.weights,
            detector="lite",
            precision="fp32",
            landmarks=str(found),
        )
    )
    work.todo.append(Item(write_photo(tmp_path / "in/new.png", seed=77), tmp_path / "out/new.png"))
    used = run_enhance(known, work, OutputOptions(overwrite=True), Silent()).landmarks
    # The file holds faces of another detector than the one that this run names: none of them applies.
    assert (used.used, used.searched, used.searched_otherwise, used.of_no_picture) == (0, 10, 9, 0)


def test_faces_that_fp32_repeated_are_counted(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, generator = runtime.generator.settle, runtime.generator

    def repeated(launched: object) -> list[object]:
        faces = settle(launched)
        generator.recomputed_fp32 += len(faces)
        return faces

    monkeypatch.setattr(generator, "settle", repeated)
    assert run_small(runtime, small_plan(tmp_path, 10)).redone_in_fp32 == 10


def test_a_full_disk_in_one_process_ends_the_run_once(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, place = sink_module.write_file, tmp_path / "count"

    def full(path: Path, data: bytes, **more: object) -> None:
        with place.open("ab") as file:  # counts in all processes
            file.write(b".")
        if place.stat().st_size > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, data, **more)

    monkeypatch.setattr(sink_module, "write_file", full)
    report = run_small(runtime, small_plan(tmp_path, 40))
    (failed,) = report.failed
    assert "the disk is full" in failed.error
    assert report.outcomes["restored"] == len(list((tmp_path / "out").glob("*.png"))) <= 5
    assert report.not_done >= 35


def test_a_step_that_hangs_fails_its_picture_alone(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = sink_module.write_file

    def hangs(path: Path, data: bytes, **more: object) -> None:
        while path.name == "03.png":
            os.sched_yield()
        write(path, data, **more)

    monkeypatch.setattr(sink_module, "write_file", hangs)
    watchdog = Watchdog(2.0, lambda sentence: None)
    with watchdog.watching():
        watchers = Watchers(watchdog)
        report = run_enhance(runtime, small_plan(tmp_path, 9), OutputOptions(), Silent(), watchers=watchers)
    (failed,) = report.failed
    assert failed.path.endswith("03.png")
    assert failed.error == "one step of it took longer than --stall-timeout, twice."
    assert report.outcomes["restored"] == 8
