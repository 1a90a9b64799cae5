"""Writes restored frames as numbered pictures, several at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import torch

from gpen_fast.errors import GpenError, summary
from gpen_fast.files import copy_file, write_file
from gpen_fast.measure.clock import Clock
from gpen_fast.run.video.counts import FrameCounts
from gpen_fast.run.video.frames import DoneFrame
from gpen_fast.run.video.picture_store import PictureStore
from gpen_fast.settings import suffix_of
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame
from gpen_fast.video.pictures import frame_as_picture

# Seconds of the film after which it is noted how far the run is, and frames where that needs no state.
NOTED_S, _NOTED_FRAMES = 4.0, 8
# Pictures that are encoded at once, and that may wait: each holds its pixels.
_THREADS, _WAITING = 4, 4
_QUALITY = 95
# Pictures that a sentence names at most.
_MOST_NAMED = 5


class PictureWriter:
    """Takes the frames of a film in their order, in one thread."""

    def __init__(
        self, store: PictureStore, clock: Clock, rate: Fraction, rotation: Callable[[], int] = lambda: 0
    ) -> None:
        """Takes where pictures are written.

        Args:
            store: The output.
            clock: Times the encoding.
            rate: Frames per second.
            rotation: Gives the degrees by which players turn the frames of a video, once there is one.
        """
        self._store = store
        self._clock = clock
        self._every = max(1, round(NOTED_S * rate))
        self._rotation = rotation
        self._next = self._begun = store.frames
        self._pool = ThreadPoolExecutor(_THREADS, "gpen-fast-picture")
        self._waiting: deque[Future[None]] = deque()
        self._unread: list[str] = []
        self.counts = FrameCounts()

    def take(self, done: DoneFrame) -> None:
        """Writes a picture, whole or not at all; raises what writing an earlier one raised."""
        assert done.index == self._next, f"frame {done.index} comes where {self._next} is due"
        since = done.index - self._store.frames
        if since >= (self._every if done.state else _NOTED_FRAMES):
            self._note(done.state)
        while len(self._waiting) >= _WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._write, replace(done, state=None)))
        self._next += 1
        self.counts.add(done)
        if isinstance(done.content, Path):
            self._unread.append(f"{done.content.name} ({summary(done.error) if done.error else 'unknown'})")

    def finish(self, state: Callable[[], bytes] | None = None) -> None:
        """Waits until all pictures are written. state: gives what a run needs that goes on after them."""
        self._note(state)

    def close(self) -> None:
        """Ends the threads; pictures that wait are left to the next run."""
        self._pool.shutdown(cancel_futures=True)

    def not_restored(self) -> str:
        """A sentence that names the pictures of this run that could not be restored; empty where all were."""
        return unrestored_pictures(self._unread)

    def _note(self, state: Callable[[], bytes] | None) -> None:
        while self._waiting:
            self._waiting.popleft().result()
        self._store.note(self._next, self.counts.taken(), state() if state else None)

    def _write(self, done: DoneFrame) -> None:
        with self._clock.span("encode", on_device=False, pictures=(done.index - self._begun,)):
            target, content = self._store.path(done.index), done.content
            if isinstance(content, Path):
                write_as_it_was(content, target)
                return
            picture = content
            if isinstance(picture, av.VideoFrame):
                picture = frame_as_picture(picture, self._rotation())
            write_file(target, _encoded(picture, target))


def write_as_it_was(source: Path, target: Path) -> None:
    """A picture that could not be restored: its bytes, or its pixels in the result's format.

    One that cannot be read keeps its bytes under the result's name, if that has its suffix; else under its own.
    """
    if suffix_of(source) == suffix_of(target):
        copy_file(source, target)
        return
    try:
        picture = load(source, torch.device("cpu"))
    except (GpenError, OSError):
        copy_file(source, target.with_suffix(source.suffix))
    else:
        write_file(target, _encoded(picture, target))


def unrestored_pictures(named: list[str]) -> str:
    """A sentence on pictures that are as they were, each with the reason; empty for none."""
    if not named:
        return ""
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    pictures = "1 picture" if len(named) == 1 else f"{len(named)} pictures"
    which = ", ".join(named[:_MOST_NAMED])
    return f"{pictures} could not be restored and stay as they were: {which}{more}"


def _encoded(picture: Frame, target: Path) -> bytes:
    return open_writer(suffix_of(target)).encode(picture, _QUALITY)
