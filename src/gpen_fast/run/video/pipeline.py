"""The stages over the frames of a video: `load` takes a decoded frame instead of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from gpen_fast.run.job import Cropped, Detected, Loaded, Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.video.frames import DoneFrame, FrameSource, crop_areas, into_frame, upright
from gpen_fast.stages.align import align
from gpen_fast.stages.load import load
from gpen_fast.types import Frame
from gpen_fast.video.change import Area
from gpen_fast.video.colour import quick_rgb, to_rgb
from gpen_fast.video.film_frame import FilmFrame, film_frame, with_area
from gpen_fast.video.reader import DecodedFrame

# The least side, pixels, of what is looked at of a face: what is measured of small ones is wider than their crops.
_LEAST_SIDE = 48
# Pixels around what is pasted: whole samples of chroma reach so far.
_AROUND = 8


class FramePipeline(Pipeline):
    """Each frame gets what `enhance` gives to it as a picture of its own."""

    def load(self, source: PictureSource) -> Loaded:
        """Converts a decoded frame to RGB, upright, on the run's device; a picture is read from its file."""
        return self._taken(source, _exact)

    def take(self, source: PictureSource) -> Loaded:
        """`load` for frames whose faces are followed: on the host, RGB is made only where it is looked at."""
        return self._taken(source, _in_parts)

    def quick(self, picture: Loaded) -> Loaded:
        """A frame for the detector, where its faces are followed from there on.

        Where only parts of the frame are converted, the detector sees a quick conversion of all of it: its chroma is
        that of the nearest sample, and its values are up to two levels off.
        """
        if not isinstance(picture.frame, FilmFrame):
            return picture
        rgb = quick_rgb(picture.frame.decoded)
        pixels = torch.from_numpy(np.ascontiguousarray(upright(rgb, picture.frame.rotation)))
        return replace(picture, frame=Frame(pixels.permute(2, 0, 1)))

    def crop(self, picture: Detected) -> Cropped:
        """Aligns the faces and cuts them out."""
        frame, runtime = picture.frame, self.runtime
        if self._options.aligned:
            with_area(frame, Area(0, 0, frame.width, frame.height))
        else:
            matrices = align(picture.faces, runtime.template, runtime.size, picture.found.box_points)
            for area in crop_areas(matrices, runtime.size):
                with_area(frame, _moved_inside(area, frame))
        return super().crop(picture)

    def finish(self, picture: Pasted) -> DoneFrame:
        """Puts a restored picture into its frame's samples; counted as `save`."""
        return self.save(picture, into_frame)[0]

    def _taken(
        self, source: PictureSource, as_frame: Callable[[DecodedFrame, torch.device], Frame]
    ) -> Loaded:
        if not isinstance(source, FrameSource):
            return super().load(source)
        with self._busy("reading", source), self._timed("load", [source], on_device=False) as span:
            frame = as_frame(source.decoded, self.runtime.device)
        return Loaded(source, frame, timing={"load": span.host_ms})


def _exact(decoded: DecodedFrame, device: torch.device) -> Frame:
    return load(upright(to_rgb(decoded.frame), decoded.rotation), device)


def _in_parts(decoded: DecodedFrame, device: torch.device) -> Frame:
    partial = film_frame(decoded.frame, decoded.rotation) if device.type == "cpu" else None
    return partial or _exact(decoded, device)


def _moved_inside(area: Area, frame: Frame) -> Area:
    """The area, and one of its size that lies within the frame: what is measured of a face is moved inside."""
    x0, x1 = _span(area.x0, area.x1, frame.width)
    y0, y1 = _span(area.y0, area.y1, frame.height)
    return Area(x0, y0, x1, y1)


def _span(start: int, end: int, length: int) -> tuple[int, int]:
    more = max(_AROUND, _LEAST_SIDE - (end - start))
    start, end = start - more, end + more
    inside = max(0, min(start, length - (end - start)))
    return min(start, inside), max(end, inside + (end - start))
