"""A run that writes pictures goes on where it ended, and gives those of an undisturbed one."""

from __future__ import annotations

from pathlib import Path

import pytest
from film_frames import StopsAfter, contents, write_frames

from gpen_fast.errors import InputsError
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video import picture_writer
from gpen_fast.run.video.picture_store import PictureStore
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.settings import VideoOptions

COUNT = 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "in", COUNT)


def stop(small: Runtime, folder: Path, out: Path, options: VideoOptions, frames: int) -> StopsAfter:
    told = StopsAfter(frames)
    report = run_videos([small], plan_videos([str(folder)], out, options), options, told, told.stopped)
    assert report.verdict == "interrupted"
    return told


@pytest.mark.parametrize("temporal", [0.0, 0.5])
def test_a_stopped_run_goes_on(
    run, small: Runtime, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporal: float
) -> None:
    monkeypatch.setattr(picture_writer, "NOTED_S", 0.1)
    flags = {"frames": True, "temporal": temporal}
    whole, _ = run(folder, tmp_path / "whole", **flags)
    out, options = tmp_path / "out", VideoOptions(frames=True, temporal=temporal)
    stop(small, folder, out, options, 6)
    done = contents(out)
    assert 6 <= len(done) < COUNT
    report, told = run(folder, out, **flags)
    assert told.begun[0][1] >= 6
    assert contents(out) == contents(tmp_path / "whole")
    assert (report.faces, report.video.tracks) == (whole.faces, whole.video.tracks)
    assert report.video.frames_resumed == told.begun[0][1]
    assert not (out / ".gpen-fast").exists()


def test_other_settings_begin_afresh_and_leave_nothing_of_the_run_before(
    run, small: Runtime, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    stop(small, folder, out, VideoOptions(frames=True, temporal=0.0), 10)
    _, told = run(folder, out, frames=True, fps="24", end="0.2")
    assert told.begun == [(5, 0)]
    assert len(contents(out)) == 5


def test_a_picture_that_was_removed_is_made_again(run, small: Runtime, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stop(small, folder, out, VideoOptions(frames=True, temporal=0.0), 10)
    (out / "shot_0009.png").unlink()
    _, told = run(folder, out, frames=True)
    assert told.begun == [(COUNT, 0)]
    assert len(contents(out)) == COUNT


def test_one_run_at_a_time(folder: Path, tmp_path: Path) -> None:
    item = plan_videos([str(folder)], tmp_path / "out", VideoOptions(frames=True)).todo[0]
    one, other = PictureStore(item, range(COUNT)), PictureStore(item, range(COUNT))
    with (
        one.opened({}),
        pytest.raises(InputsError, match="another run of gpen-fast writes it"),
        other.opened({}),
    ):
        pass
