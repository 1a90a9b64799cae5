"""Pictures that are written: whole, named after the inputs, and as they were where they cannot be restored."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from film_frames import contents, write_frames

from gpen_fast.run.video import picture_writer
from gpen_fast.run.video.picture_writer import unrestored_pictures


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_an_unreadable_picture_is_named_and_stays_as_it_was(run, tmp_path: Path, suffix: str) -> None:
    folder = write_frames(tmp_path / "in", 5, suffix=suffix)
    broken = folder / f"shot_0010{suffix}"
    broken.write_bytes(b"no picture at all")
    report, _ = run(folder, tmp_path / "out", frames=True)
    assert report.verdict == "some_failed"
    assert report.failed[0].error.startswith(
        f"1 picture could not be restored and stay as they were: shot_0010{suffix} ("
    )
    made = contents(tmp_path / "out")
    assert made[broken.name] == b"no picture at all"
    assert len(made) == 5
    # It counts as done.
    again, _ = run(folder, tmp_path / "out", frames=True)
    assert again.outcomes["skipped"] == 1


def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = write_frames(tmp_path / "in", 20, 60), tmp_path / "out"
    write = picture_writer.write_file

    def full(path: Path, data: bytes) -> None:
        if path.name == "shot_0025.png":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(picture_writer, "write_file", full)
        report, _ = run(folder, out, frames=True)
    assert "make room and run the same command" in report.failed[0].error
    assert not (out / "shot_0025.png").exists()
    report, told = run(folder, out, frames=True)
    assert report.verdict == "all_done"
    assert told.begun[0][1] >= 8
    assert len(contents(out)) == 20


def test_a_disk_that_is_full_at_once_ends_the_run_though_frames_are_under_way(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(picture_writer, "write_file", full)
    folder = write_frames(tmp_path / "in", 40, 60)
    report, _ = run(folder, tmp_path / "out", frames=True, temporal=0.5)
    assert "make room and run the same command" in report.failed[0].error


def test_many_pictures_are_named_shortly() -> None:
    assert unrestored_pictures([]) == ""
    named = unrestored_pictures([f"f{n}.png (damaged)" for n in range(7)])
    assert named.startswith("7 pictures could not be restored")
    assert named.endswith("f4.png (damaged) and 2 more")
