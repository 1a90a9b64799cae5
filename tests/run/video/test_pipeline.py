"""The stages over decoded frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import clip_pixels
from videos import Made, rgb_frames, write_video

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video import pipeline as stages
from gpen_fast.run.video.frames import FrameSource
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.video.reader import VideoReader


def test_load_gives_the_frame_as_rgb_and_finish_puts_the_faces_back(small: Runtime, deep_clip: Path) -> None:
    recorder = Recorder()
    pipeline = FramePipeline(small, Clock(recorder))
    with VideoReader(deep_clip) as reader:
        decoded = next(reader.frames())
        source = FrameSource(0, deep_clip, decoded=decoded)
        loaded = pipeline.load(source)
        difference = loaded.frame.pixels.permute(1, 2, 0).numpy().astype(int) - rgb_frames(deep_clip)[0]
        assert np.abs(difference).mean() < 3  # swscale's default rounds down
        done = pipeline.finish(pipeline.restore(source))
    assert (done.index, done.time.pts, done.faces) == (0, decoded.pts, 1)
    assert recorder.series["save"].count == 1
    assert not source.is_file


@pytest.mark.parametrize("rotation", [0, 90])
def test_frames_of_which_only_parts_are_converted_give_the_same_result(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rotation: int
) -> None:
    clip = clip_pixels("leaving", 12, 360, blur=1.0, noise=3.0)
    if rotation:
        clip = [np.ascontiguousarray(np.rot90(each, -1)) for each in clip]
    source = write_video(tmp_path / "in.mp4", clip, Made(rotation=rotation))
    converted: list[np.ndarray] = []
    kept = stages.to_rgb
    monkeypatch.setattr(stages, "to_rgb", lambda frame: converted.append(kept(frame)) or converted[-1])
    monkeypatch.setattr(stages, "quick_rgb", kept)
    options = {"codec": "ffv1", "temporal": 0.5}
    first, _ = run(source, tmp_path / "parts.mkv", **options)
    assert not converted
    monkeypatch.setattr(stages, "film_frame", lambda decoded, rotation: None)
    second, _ = run(source, tmp_path / "whole.mkv", **options)
    assert len(converted) == 12
    assert first.faces == second.faces > 6
    pairs = zip(rgb_frames(tmp_path / "parts.mkv"), rgb_frames(tmp_path / "whole.mkv"), strict=True)
    assert all(np.array_equal(parts, whole) for parts, whole in pairs)


def test_faces_of_a_quick_conversion_lie_where_those_of_the_exact_one_do(
    small: Runtime, tmp_path: Path
) -> None:
    source = write_video(tmp_path / "in.mp4", clip_pixels("roll", 4, 720, blur=1.0, noise=6.0))
    pipeline = FramePipeline(small, Clock(Recorder()))
    with VideoReader(source) as reader:
        for decoded in reader.frames():
            given = FrameSource(0, source, decoded=decoded)
            loaded, exact = pipeline.take(given), pipeline.load(given)
            (ours,), (true,) = (
                pipeline.detect_now(each).found.faces for each in (pipeline.quick(loaded), exact)
            )
            eyes = np.linalg.norm(true.landmarks[1] - true.landmarks[0])
            assert np.abs(ours.landmarks - true.landmarks).max() < 0.01 * eyes
