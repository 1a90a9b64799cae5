"""Frames that arrive: a file at its own speed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gpen_fast.errors import VideoError
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.reader import DecodedFrame, VideoReader


@dataclass(frozen=True, eq=False)
class Arrival:
    """A frame of a live source."""

    decoded: DecodedFrame = field(repr=False)
    """The frame."""
    arrived: float
    """Seconds, by time.perf_counter, at which it could first be had; a file's: when its time had come."""


class LiveSource(Protocol):
    """Frames that arrive."""

    facts: StreamFacts
    """The stream."""

    @property
    def lost(self) -> str:
        """Why it ended early, as a sentence; empty where it did not."""

    def __iter__(self) -> Iterator[Arrival]:
        """The frames as they come; ends with the source, and after `close`."""

    def close(self) -> None:
        """Ends the iteration within a second; from any thread."""


class _FileSource:
    """A file that plays at its own speed."""

    def __init__(self, path: Path, *, paced: bool) -> None:
        self._reader = VideoReader(path)
        self._paced = paced
        self._closed = threading.Event()
        self.facts = self._reader.facts
        self.lost = ""

    def __iter__(self) -> Iterator[Arrival]:
        begun = None
        try:
            for decoded in self._reader.frames():
                shown = float(decoded.pts * self.facts.time_base)
                begun = time.perf_counter() - shown if begun is None else begun
                due = begun + shown
                if self._paced and self._closed.wait(max(0.0, due - time.perf_counter())):
                    return
                if self._closed.is_set():
                    return
                yield Arrival(decoded, due if self._paced else time.perf_counter())
            self.lost = self._reader.cut_off()
        finally:
            self._reader.close()

    def close(self) -> None:
        self._closed.set()


def open_source(
    name: str, *, size: tuple[int, int] | None = None, rate: float | None = None, paced: bool = True
) -> LiveSource:
    """Opens a source.

    Args:
        name: A file.
        size: Of a camera's pictures.
        rate: Of a camera, frames per second.
        paced: A file plays at its own speed; else as fast as it is decoded.

    Raises:
        VideoError: It cannot be read.
    """
    if not Path(name).exists():
        raise VideoError(f"{name}: no such file.")
    return _FileSource(Path(name), paced=paced)
