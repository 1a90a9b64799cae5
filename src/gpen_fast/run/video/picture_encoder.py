"""Numbered pictures into the segments of a video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import torch

from gpen_fast.errors import GpenError, VideoError, summary
from gpen_fast.run.video.frames import DoneFrame
from gpen_fast.run.video.numbered import FrameSequence
from gpen_fast.run.video.picture_writer import unrestored_pictures
from gpen_fast.run.video.segments import SegmentWriter
from gpen_fast.stages.load import load
from gpen_fast.types import Frame
from gpen_fast.video.encoder import EncodedStream
from gpen_fast.video.pictures import picture_as_frame


class PictureEncoder:
    """Takes the pictures of a film in their order, in one thread, and hands them on as frames."""

    def __init__(
        self, writer: SegmentWriter, stream: EncodedStream, sequence: FrameSequence, places: range
    ) -> None:
        """Takes what encodes.

        Args:
            writer: Encodes the frames.
            stream: How.
            sequence: The pictures.
            places: Those of them that are restored.
        """
        self._writer = writer
        self._layout = stream.encoding.pixel_format
        self._size = stream.facts.width, stream.facts.height
        self._sequence = sequence
        self._places = places
        self._unread: list[str] = []

    def take(self, done: DoneFrame) -> None:
        """Encodes a picture. For one that cannot be read, the one before it is shown once more, as it was.

        Raises:
            VideoError: Its size is not that of the film.
        """
        content = done.content
        if isinstance(content, Path):
            self._unread.append(f"{content.name} ({summary(done.error) if done.error else 'unknown'})")
            content = self._readable(done.index)
        assert not isinstance(content, av.VideoFrame), "a film of pictures"
        if (content.width, content.height) != self._size:
            name = self._sequence.files[self._places[done.index]]
            raise VideoError(
                f"{name} has {content.width}x{content.height} pixels, and the "
                f"first picture has {self._size[0]}x{self._size[1]}: a film has one size."
            )
        self._writer.take(replace(done, content=picture_as_frame(content, self._layout)))

    def finish(self, state: Callable[[], bytes] | None = None) -> None:
        """Ends the segment that is begun. state: gives what a run needs that goes on after it."""
        self._writer.finish(state)

    def not_restored(self) -> str:
        """A sentence that names the pictures of this run that could not be restored; empty where all were."""
        return unrestored_pictures(self._unread)

    def _readable(self, number: int) -> Frame:
        """The picture as it was; else the nearest before it that can be read, else the nearest after it."""
        for near in [*range(number, -1, -1), *range(number + 1, len(self._places))]:
            try:
                return load(self._sequence.path(self._places[near]), torch.device("cpu"))
            except (GpenError, OSError):
                continue
        raise VideoError("none of its pictures can be read.")
