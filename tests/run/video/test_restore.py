"""Restored videos: only faces change, each frame as `enhance` restores it, and a run that ended goes on."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import clip_pixels
from videos import Made, read_back, rgb_frames, write_video

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.job import PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video import run as video_run
from gpen_fast.run.video import segments
from gpen_fast.run.video.frames import crop_areas
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.store import SegmentStore
from gpen_fast.settings import VideoOptions

RGB = Made("ffv1", "bgr0", options={"level": "3", "g": "1"})


def planes(path: Path) -> list[list[np.ndarray]]:
    """The samples of each frame, plane by plane."""
    with av.open(str(path)) as given:
        return [
            [
                np.frombuffer(plane, np.uint16)
                .reshape(-1, plane.line_size // 2)[: plane.height, : plane.width]
                .copy()
                for plane in frame.planes
            ]
            for frame in given.decode(video=0)
        ]


def alone(runtime: Runtime, pixels: np.ndarray):
    """A picture as `enhance` restores it."""
    return Pipeline(runtime, Clock(Recorder())).restore(PictureSource(0, pixels))


def test_outside_the_faces_no_sample_of_ten_bits_changes(
    run, small: Runtime, deep_clip: Path, tmp_path: Path
) -> None:
    report, _ = run(deep_clip, tmp_path / "o.mkv")
    assert (report.faces, report.video.frames_out) == (8, 8)
    assert read_back(tmp_path / "o.mkv").facts == read_back(deep_clip).facts
    pictures = rgb_frames(deep_clip)
    for before, after, pixels in zip(planes(deep_clip), planes(tmp_path / "o.mkv"), pictures, strict=True):
        (area,) = crop_areas(alone(small, pixels).crops.matrices, small.size)
        for number, (was, made) in enumerate(zip(before, after, strict=True)):
            step = 2 if number else 1
            changed = was != made
            assert changed.any()
            # Samples of chroma cover two rows and columns.
            changed[
                max(0, area.y0 // step) : -(-area.y1 // step), max(0, area.x0 // step) : -(-area.x1 // step)
            ] = False
            assert not changed.any()
            assert len(np.unique(made & 3)) == 4  # all ten bits are there


def test_each_frame_is_what_enhance_makes_of_it(run, small: Runtime, tmp_path: Path) -> None:
    path = write_video(tmp_path / "in.mkv", clip_pixels("crossing", 4, 240, noise=2.0), RGB)
    run(path, tmp_path / "o.mkv")
    for before, after in zip(rgb_frames(path), rgb_frames(tmp_path / "o.mkv"), strict=True):
        expected = alone(small, before).result.pixels.permute(1, 2, 0).numpy()
        assert np.array_equal(after, expected)
        assert not np.array_equal(after, before)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_video_is_restored_upright_and_stays_turned(run, tmp_path: Path, rotation: int) -> None:
    turned = [np.rot90(each, -rotation // 90).copy() for each in clip_pixels("still", 2, 180)]
    path = write_video(tmp_path / "in.mp4", turned, Made(rotation=rotation, options={"crf": "12"}))
    report, _ = run(path, tmp_path / "o.mp4")
    assert report.faces == 2
    assert read_back(tmp_path / "o.mp4").facts["rotation"] == read_back(path).facts["rotation"] != 0
    before, after = rgb_frames(path)[0], rgb_frames(tmp_path / "o.mp4")[0]
    middle = np.argwhere(np.abs(after.astype(int) - before).max(axis=2) > 24).mean(axis=0)
    upright = np.argwhere(np.abs(clip_pixels("still", 1, 180)[0]) >= 0)[0]
    assert upright is not None
    # The face stands left of the middle and above it; where that lies depends on the turn.
    x, y = 0.9 * 180, 0.5 * 180
    where = {90: (x, 180 - y), 180: (180 - y, 320 - x), 270: (320 - x, y)}[rotation]
    assert np.abs(middle - where).max() < 40


def test_a_run_that_was_stopped_goes_on_and_gives_the_same_frames(
    run, small: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_S", 0.2)
    made = Made(
        options={"bf": "2", "preset": "ultrafast"},
        audio=("aac",),
        times=tuple(at + at // 7 for at in range(30)),
    )
    path = write_video(tmp_path / "in.mp4", clip_pixels("pan", 30, 120), made)
    undisturbed, _ = run(path, tmp_path / "whole.mp4")
    assert undisturbed.verdict == "all_done"
    stopped = threading.Event()
    options = VideoOptions(temporal=0.0)
    plan = plan_videos([str(path)], tmp_path / "o.mp4", options)

    class Stops:
        done = 0

        def begin(self, name: Path, frames: int, done: int) -> None:
            assert (frames, done) == (30, 0)

        def frame(self) -> None:
            self.done += 1
            if self.done == 11:
                stopped.set()

        def end(self, row: object) -> None: ...

    report = video_run.run_videos([small], plan, options, Stops(), stopped)
    assert (report.verdict, report.not_done) == ("interrupted", 1)
    assert not (tmp_path / "o.mp4").exists()
    again, told = run(path, tmp_path / "o.mp4")
    assert again.verdict == "all_done"
    assert told.begun[0][1] == report.video.frames_out >= 11
    assert again.video.frames_resumed == report.video.frames_out
    assert told.frames == 30 - report.video.frames_out
    whole, joined = read_back(tmp_path / "whole.mp4"), read_back(tmp_path / "o.mp4")
    assert joined.times == whole.times == read_back(path).times
    assert joined.packets == whole.packets == read_back(path).packets
    assert again.faces == undisturbed.faces
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.mp4", "o.mp4", "whole.mp4"]


def test_start_and_end_take_a_part(run, tmp_path: Path) -> None:
    path = write_video(tmp_path / "in.mp4", clip_pixels("pan", 25, 90), Made(audio=("aac",)))
    report, _ = run(path, tmp_path / "o.mp4", start="0.4", end="0.8")
    assert read_back(tmp_path / "o.mp4").times == [Fraction(each, 25) for each in range(10)]
    assert report.video.duration_s == pytest.approx(0.4)
    report, _ = run(path, tmp_path / "late.mp4", start="50")
    assert "no frame between --start 50 and --end the end: it has 1.0 s." in report.failed[0].error


def test_a_frame_that_cannot_be_restored_stays_and_is_told(
    run, small: Runtime, deep_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(99))
    paste = Pipeline.paste

    def failing(self, picture):
        if next(calls) == 2:
            raise ValueError("broken face")
        return paste(self, picture)

    monkeypatch.setattr(Pipeline, "paste", failing)
    report, _ = run(deep_clip, tmp_path / "o.mkv")
    assert (report.video.frames_out, report.video.frames_unrestored) == (8, 1)
    assert "the first because: ValueError: broken face" in report.notes[0].note
    pairs = zip(planes(deep_clip), planes(tmp_path / "o.mkv"), strict=True)
    assert sum(np.array_equal(was[0], made[0]) for was, made in pairs) == 1


def test_other_settings_do_not_use_what_is_left(run, deep_clip: Path, tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "o.mkv")
    with store.opened({"other": 1}):
        store.complete()
    report, told = run(deep_clip, tmp_path / "o.mkv")
    assert told.begun == [(0, 0)]
    assert report.video.frames_out == 8
