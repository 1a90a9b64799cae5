"""The stages over decoded frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from videos import rgb_frames

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.runtime import Runtime
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
