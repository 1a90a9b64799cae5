"""Runs that are killed, repeated, disturbed: nothing is lost, nothing is made twice."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import write_photo
from journals import keys_of

from gpen_fast.measure.report import Report
from gpen_fast.run import enhance as enhance_module
from gpen_fast.run import sink as sink_module
from gpen_fast.run.enhance import run_enhance
from gpen_fast.run.journal.book import JournalBook
from gpen_fast.run.plan import plan
from gpen_fast.run.runtime import Runtime
from gpen_fast.settings import SAME, OutputOptions


class Silent:
    """Calls `at` after each picture."""

    def __init__(self, at: Callable[[], None] = lambda: None) -> None:
        self._at = at

    def advance(self, row: object) -> None:
        self._at()


def run(
    runtime: Runtime,
    inputs: Path,
    out: Path | None,
    output: OutputOptions | None = None,
    at: Callable[[], None] = lambda: None,
) -> Report:
    output = output or OutputOptions()
    with JournalBook(keys_of(runtime.settings, output), output) as journal:
        work = plan([str(inputs)], out, output, journal)
        return run_enhance(runtime, work, output, Silent(at), journal=journal)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    for number in range(6):
        write_photo(tmp_path / "in" / f"{number}.png", seed=number)
    return tmp_path / "in"


def test_a_second_run_makes_only_what_is_new_changed_or_broken(
    runtime: Runtime, inputs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(runtime, inputs, out).outcomes["restored"] == 6
    before = {path.name: path.stat().st_ino for path in out.glob("*.png")}
    write_photo(inputs / "0.png", seed=50)
    (out / "1.png").write_bytes(b"")
    (out / "2.png").unlink()
    write_photo(inputs / "9.png", seed=9)
    os.utime(inputs / "3.png", ns=(1, 1))
    report = run(runtime, inputs, out)
    assert (report.outcomes["restored"], report.outcomes["skipped"]) == (4, 3)
    after = {path.name: path.stat().st_ino for path in out.glob("*.png")}
    assert {name for name in after if after[name] == before.get(name)} == {"3.png", "4.png", "5.png"}
    assert run(runtime, inputs, out).outcomes["skipped"] == 7


def test_in_place_undone_pictures_are_restored_again(runtime: Runtime, inputs: Path) -> None:
    in_place = OutputOptions(SAME, in_place=True)
    original = (inputs / "0.png").read_bytes()
    assert run(runtime, inputs, None, in_place).outcomes["restored"] == 6
    result = (inputs / "0.png").read_bytes()
    assert run(runtime, inputs, None, in_place).outcomes["skipped"] == 6
    (inputs / "0.png").write_bytes(original)
    assert run(runtime, inputs, None, in_place).outcomes["restored"] == 1
    assert (inputs / "0.png").read_bytes() == result


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_ends_the_run_once_and_the_next_run_continues(
    runtime: Runtime, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    out, tried, write = tmp_path / "out", [], sink_module.write_file

    def full(path: Path, data: bytes, **more: Callable[[Path], object] | None) -> None:
        tried.append(path)
        if len(tried) > 2:
            raise OSError(number, os.strerror(number))
        write(path, data, before=more["before"])

    with monkeypatch.context() as patch:
        patch.setattr(sink_module, "write_file", full)
        # Each of several processes would count for itself.
        patch.setattr(enhance_module, "lanes_for", lambda runtime, pictures: 1)
        report = run(runtime, inputs, out)
    (failed,) = report.failed
    assert failed.path == str(out) and "What is finished is kept; the same command continues" in failed.error
    assert (report.images, report.not_done, len(list(out.glob("*.png")))) == (2, 4, 2)
    assert run(runtime, inputs, out).outcomes["restored"] == 4


def test_a_disk_that_is_really_full_ends_the_run_once(runtime: Runtime, inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    out.mkdir()
    # 64 pixels a side: some 12 kB a result.
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=40k", "none", out], capture_output=True
        ).returncode
    ):
        pytest.skip("no file system can be mounted here")
    try:
        report = run(runtime, inputs, out)
        (failed,) = report.failed
        assert failed.path == str(out) and failed.error.startswith("the disk is full: no more results fit.")
        assert 0 < report.images < 6 and report.images + report.not_done == 6
        assert len(list(out.glob("*.png"))) == report.images
        assert not list(out.glob("*.part"))
        subprocess.run(["mount", "-o", "remount,size=4m", out], check=True)
        assert run(runtime, inputs, out).not_done == 0
        assert len(list(out.glob("*.png"))) == 6
    finally:
        subprocess.run(["umount", out], check=True)


def test_an_output_folder_that_is_removed_ends_the_run_and_stays_removed(
    runtime: Runtime, inputs: Path, tmp_path: Path
) -> None:
    for number in range(10, 60):
        write_photo(inputs / f"{number}.png", seed=number)
    out = tmp_path / "out"
    report = run(runtime, inputs, out, at=lambda: shutil.rmtree(out, ignore_errors=True))
    # Pictures whose temporary files go with the folder, before the folder itself has gone, fail by themselves: at most
    # one for each writer.
    (failed,) = [each for each in report.failed if "was removed during the run" in each.error]
    assert failed.path == str(out)
    assert len(report.failed) <= 1 + 4
    assert report.not_done and not out.exists()


def test_a_picture_that_fails_is_tried_again_and_the_cause_recorded(
    runtime: Runtime, inputs: Path, tmp_path: Path
) -> None:
    good = (inputs / "2.png").read_bytes()
    (inputs / "2.png").write_bytes(good[:100])
    out = tmp_path / "out"
    assert run(runtime, inputs, out).outcomes["failed"] == 1
    assert (
        b'"outcome":"failed","faces_saved":false,"error":"damaged'
        in (out / ".gpen-fast/journal.jsonl").read_bytes()
    )
    assert run(runtime, inputs, out).outcomes["failed"] == 1
    (inputs / "2.png").write_bytes(good)
    assert run(runtime, inputs, out).outcomes["restored"] == 1
