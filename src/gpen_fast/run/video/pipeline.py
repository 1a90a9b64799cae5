"""The stages over the frames of a video: `load` takes a decoded frame instead of a file."""

from __future__ import annotations

from gpen_fast.run.job import Loaded, Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.video.frames import DoneFrame, FrameSource, into_frame, upright
from gpen_fast.stages.load import load
from gpen_fast.video.colour import to_rgb


class FramePipeline(Pipeline):
    """Each frame gets what `enhance` gives to it as a picture of its own."""

    def load(self, source: PictureSource) -> Loaded:
        """Converts a decoded frame to RGB, upright, on the run's device; a picture is read from its file."""
        if not isinstance(source, FrameSource):
            return super().load(source)
        with self._busy("reading", source), self._timed("load", [source], on_device=False) as span:
            rgb = upright(to_rgb(source.decoded.frame), source.decoded.rotation)
            frame = load(rgb, self.runtime.device)
        return Loaded(source, frame, timing={"load": span.host_ms})

    def finish(self, picture: Pasted) -> DoneFrame:
        """Puts a restored picture into its frame's samples; counted as `save`."""
        return self.save(picture, into_frame)[0]
