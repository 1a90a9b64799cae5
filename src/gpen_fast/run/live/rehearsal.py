"""Every part of a live run is called once before the first frame: first calls take many times as long as later ones.

Memory and threads of torch belong to the thread that calls it, so that each thread rehearses its own part.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from gpen_fast.detections.cache import found_by
from gpen_fast.image.similarity import Points
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.job import Cropped, Detected
from gpen_fast.run.live.restoring import LiveFrame, LiveRestorer, in_samples
from gpen_fast.run.live.steps import QualityStep
from gpen_fast.run.video.following import FollowedFrame
from gpen_fast.run.video.frames import FrameSource
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.settings import VIDEO_STAGES
from gpen_fast.types import Face
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.planes import planar
from gpen_fast.video.reader import DecodedFrame
from gpen_fast.video.track import TrackedFace, Tracker, TrackState

# Landmarks of a face in the middle, in units of the frame's height around its centre.
_FACE = np.array([[-0.05, -0.04], [0.05, -0.04], [0.0, 0.01], [-0.04, 0.06], [0.04, 0.06]])


class Rehearsal:
    """A made-up frame with a face in its middle, through the parts of a run; nothing of it is kept."""

    def __init__(
        self, steps: Sequence[QualityStep], first: int, tracker: Tracker, facts: StreamFacts, temporal: float
    ) -> None:
        """Takes what is rehearsed.

        Args:
            steps: The quality steps.
            first: The step of the first frame.
            tracker: Follows faces.
            facts: The stream, whose size the frame has.
            temporal: How much of the frames before is kept.
        """
        clock = Clock(Recorder(stages=VIDEO_STAGES))
        self._steps, self._first = steps, first
        self._pipelines = [FramePipeline(each.runtime, clock) for each in steps]
        self._tracker, self._temporal = tracker, temporal
        self._size = facts.width, facts.height

    def follow(self) -> None:
        """What the thread that follows faces does."""
        pipeline, source = self._pipelines[self._first], self._source()
        loaded = pipeline.take(source)
        frame = loaded.frame
        pipeline.detect_now(pipeline.quick(loaded))
        look = self._tracker.look(TrackState(), frame, 0.0)
        state = self._tracker.settle(TrackState(), look, frame, 0.0, [self._face()]).state
        self._tracker.look(state, frame, 0.1)
        self._cropped(pipeline, source)

    def restore(self) -> None:
        """What the thread of the network does, and the paste: two frames, the second averaged with the first."""
        restorer = LiveRestorer(self._steps, self._pipelines, self._temporal)
        for seconds in (0.0, 0.1):
            source = self._source()
            cropped = self._cropped(self._pipelines[self._first], source)
            tracked = TrackedFace(0, self._face(), self._points())
            followed = FollowedFrame(cropped, TrackState(), seconds, (tracked,), False, 0)
            picture, _ = restorer.restore(LiveFrame(source, 0.0, self._first, 0.0, followed, {}))
            in_samples(self._pipelines[self._first], picture, source)

    def _source(self) -> FrameSource:
        """A frame of noise."""
        width, height = self._size
        draw = np.random.default_rng(0)
        pixels = draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        return FrameSource(0, Path("rehearsal"), decoded=DecodedFrame(0, 0, 0, planar(frame), 0))

    def _points(self) -> Points:
        width, height = self._size
        return np.array([width / 2, height / 2]) + height * _FACE

    def _face(self) -> Face:
        points = self._points()
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        return Face((float(x0), float(y0), float(x1), float(y1)), 1.0, points)

    def _cropped(self, pipeline: FramePipeline, source: FrameSource) -> Cropped:
        loaded, face = pipeline.take(source), self._face()
        found = found_by(pipeline.runtime.detector, [face], pipeline.runtime.settings.detect)
        return pipeline.crop(Detected(loaded, found, (face,)))
