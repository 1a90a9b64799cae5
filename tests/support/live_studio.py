"""Live frames, followed, restored and finished one after the other, without threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from live_ends import ListSource

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.live.finishing import LiveFinisher
from gpen_fast.run.live.restoring import LiveFrame, LiveMade, LiveRestorer
from gpen_fast.run.video.following import followed_frame
from gpen_fast.run.video.frames import DoneFrame, FrameSource
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.settings import VIDEO_STAGES
from gpen_fast.stages.detect.lite import LandmarkReader
from gpen_fast.video.track import Tracker, TrackState


class Studio:
    """A live run of which each part is called by hand."""

    def __init__(self, steps, temporal: float = 0.0) -> None:
        self.clock = Clock(Recorder(stages=VIDEO_STAGES))
        self.pipelines = [FramePipeline(each.runtime, self.clock) for each in steps]
        self.tracker = Tracker(LandmarkReader(steps[0].runtime.settings.weights), detect_every=5)
        self.restorer = LiveRestorer(steps, self.pipelines)
        self.finisher = LiveFinisher(self.pipelines, temporal)
        self.state = TrackState()

    def restore(self, frames: list[np.ndarray], step: int, missed: int = 0) -> list[LiveMade]:
        made = []
        for arrival in ListSource(frames):
            source = FrameSource(arrival.decoded.index, Path("clip"), decoded=arrival.decoded)
            followed = None
            if step < 2:
                seconds = self.state.seconds + 0.04
                followed, self.state = followed_frame(
                    self.pipelines[step], self.tracker, source, self.state, seconds
                )
            else:
                self.state = TrackState()
            made.append(self.restorer.restore(LiveFrame(source, 0.0, step, 0.0, followed, {0: missed})))
        return made

    def show(self, frames: list[np.ndarray], step: int, missed: int = 0) -> list[DoneFrame]:
        return [self.finisher.finish(each) for each in self.restore(frames, step, missed)]

    @property
    def calls(self) -> int:
        return self.clock.recorder.series["generate"].count
