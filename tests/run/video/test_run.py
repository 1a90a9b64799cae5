"""Runs over several videos: each keeps its own failure, and a full disk ends all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, read_back, write_video

from gpen_fast.run.video import store


def test_a_video_that_fails_does_not_stop_the_others(run, tmp_path: Path) -> None:
    frames = clip_pixels("pan", 40, 90)
    made = Made(options={"preset": "ultrafast", "g": "10"})
    good = write_video(tmp_path / "in/b.mkv", frames, made)
    (tmp_path / "in/a.mp4").write_bytes(b"")
    (tmp_path / "in/c.mkv").write_bytes(good.read_bytes()[: good.stat().st_size * 2 // 3])
    report, told = run(tmp_path / "in", tmp_path / "out")
    assert [(Path(row.input).name, row.outcome) for row in told.rows] == [
        ("a.mp4", "failed"), ("b.mkv", "restored"), ("c.mkv", "restored"),
    ]  # fmt: skip
    assert [(Path(each.path).name, each.error[:30]) for each in report.failed] == [
        ("a.mp4", "no video that can be read: it "), ("c.mkv", report.failed[1].error[:30]),
    ]  # fmt: skip
    assert report.failed[1].error.startswith("the file ends early")
    assert report.verdict == "some_failed"
    assert report.outcomes == {"restored": 2, "no_face": 0, "ignored": 0, "skipped": 0, "failed": 1}
    assert 10 < len(read_back(tmp_path / "out/c.mkv").times) < 40
    assert len(read_back(tmp_path / "out/b.mkv").times) == 40
    assert report.video.frames_in == report.video.frames_out


def test_a_full_disk_ends_the_run_in_one_sentence_and_the_next_run_goes_on(
    run, deep_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.write_file

    def full(path: Path, data: bytes) -> None:
        if path.suffix == ".segment":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(store, "write_file", full)
    later = write_video(tmp_path / "later.mkv", clip_pixels("pan", 3, 90))
    report, told = run(deep_clip, later, tmp_path / "out")
    assert len(told.rows) == 1
    assert report.failed[0].error.startswith("the disk is full. What is restored is kept beside the output")
    assert report.failed[0].error.endswith("run the same command again, which continues after them.")
    assert (report.verdict, report.not_done) == ("some_failed", 1)
    assert not (tmp_path / "out/deep.mkv").exists()
    monkeypatch.setattr(store, "write_file", write)
    run(deep_clip, later, tmp_path / "out")
    assert len(read_back(tmp_path / "out/deep.mkv").times) == 8
