"""A frame of a video on its way: from the decoder to the stages, and back into its own samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from gpen_fast.device.streams import to_host
from gpen_fast.image.warp import inverse
from gpen_fast.run.job import Failed, Pasted, PictureSource
from gpen_fast.types import Frame
from gpen_fast.video.change import Area, change_samples
from gpen_fast.video.film_frame import turned_back
from gpen_fast.video.reader import DecodedFrame
from gpen_fast.video.segment import FrameTime

# Pixels around a face's crop: interpolation reaches so far.
_MARGIN = 3


class FilmSource(PictureSource, ABC):
    """A frame of a film that is to be restored. Its `index` counts from the first frame of the run."""

    @property
    @abstractmethod
    def number(self) -> int:
        """Its number in the film, from 0."""

    @property
    @abstractmethod
    def time(self) -> FrameTime:
        """When it is shown."""


@dataclass(frozen=True, eq=False)
class FrameSource(FilmSource):
    """A decoded frame of a video; its picture is the path of that."""

    decoded: DecodedFrame = field(kw_only=True, repr=False)
    """The frame."""

    @property
    def is_file(self) -> bool:
        """A frame has no file of its own."""
        return False

    @property
    def number(self) -> int:
        """As in `FilmSource`."""
        return self.decoded.index

    @property
    def time(self) -> FrameTime:
        """As in `FilmSource`."""
        return FrameTime(self.decoded.pts, self.decoded.duration)


@dataclass(frozen=True, eq=False)
class DoneFrame:
    """A frame that is ready for the encoder."""

    index: int
    """Its number in the video."""
    content: av.VideoFrame | Frame | Path = field(repr=False)
    """Its samples; of numbered pictures the picture, or its file where that could not be restored."""
    time: FrameTime
    """When it is shown."""
    faces: int = 0
    """Faces restored in it."""
    kept: int = 0
    """Those of them that were left as they are."""
    left_out: int = 0
    """Faces found in it that the options left out."""
    error: Exception | None = None
    """Why it is as it was decoded; None where it was restored, or has no face."""
    state: Callable[[], bytes] | None = field(default=None, repr=False)
    """Gives what a run needs that begins with this frame; None where it needs nothing."""
    measured: Mapping[str, int] = field(default_factory=dict)
    """What was counted and measured along the tracks, by name."""

    @property
    def frame(self) -> av.VideoFrame:
        """Its samples, of a video."""
        assert isinstance(self.content, av.VideoFrame), "numbered pictures are made frames of a video before"
        return self.content


def upright(rgb: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """The picture as players show it: (H,W,3), turned by `rotation` degrees counter-clockwise."""
    return np.rot90(rgb, rotation // 90)


def into_frame(picture: Pasted) -> DoneFrame:
    """Puts the restored faces into the samples of the picture's frame; all other samples stay."""
    source = picture.source
    assert isinstance(source, FilmSource), "what a film holds are its frames"
    if not isinstance(source, FrameSource):
        return _done(source, picture.result, picture)
    decoded = source.decoded
    if picture.result is not picture.frame:
        before, after = (_as_decoded(each, decoded.rotation) for each in (picture.frame, picture.result))
        size = picture.crops.pixels.shape[-1]
        shape = (picture.frame.width, picture.frame.height)
        areas = [
            turned_back(area, shape, decoded.rotation) for area in crop_areas(picture.crops.matrices, size)
        ]
        change_samples(decoded.frame, before, after, areas)
    return _done(source, decoded.frame, picture)


def _done(source: FilmSource, frame: av.VideoFrame | Frame, picture: Pasted) -> DoneFrame:
    found = picture.picture.faces_found
    return DoneFrame(
        source.number,
        frame,
        source.time,
        len(picture.faces),
        picture.use.kept()[0] if picture.use else 0,
        0 if found is None else found - len(picture.faces),
    )


def as_decoded(failed: Failed) -> DoneFrame:
    """A frame that could not be restored, unchanged: a film must not lose it."""
    source = failed.source
    assert isinstance(source, FilmSource), "what a film holds are its frames"
    frame = source.decoded.frame if isinstance(source, FrameSource) else source.path
    assert frame is not None, "a film's pictures are files"
    return DoneFrame(source.number, frame, source.time, error=failed.error)


def crop_areas(matrices: NDArray[np.float64], size: int) -> Iterator[Area]:
    """The rectangles that faces may change.

    Args:
        matrices: (B,2,3) picture to crop coordinates.
        size: The crops' side, pixels.
    """
    corners = np.array([[0, 0], [size - 1, 0], [0, size - 1], [size - 1, size - 1]], dtype=np.float64)
    for matrix in matrices:
        back = inverse(matrix)
        placed = corners @ back[:, :2].T + back[:, 2]
        low, high = np.floor(placed.min(axis=0)), np.ceil(placed.max(axis=0))
        x0, y0, x1, y1 = (int(each) for each in (*(low - _MARGIN), *(high + _MARGIN + 1)))
        yield Area(x0, y0, x1, y1)


def _as_decoded(frame: Frame, rotation: int) -> NDArray[np.uint8]:
    """(H,W,3) RGB, turned as the decoder gave it."""
    pixels = to_host(frame.pixels).expand(3, -1, -1).permute(1, 2, 0).numpy()
    return np.rot90(pixels, -rotation // 90)
