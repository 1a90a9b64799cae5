"""A file as a live source: at its own speed, or as fast as it decodes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gpen_fast.video.live.arrival import Arrival
from gpen_fast.video.reader import VideoReader


class FileSource:
    """Plays one file."""

    def __init__(self, path: Path, *, paced: bool) -> None:
        """Opens the file.

        Args:
            path: The file.
            paced: Each frame comes when its time has come; else as soon as it is decoded.

        Raises:
            VideoError: It is no video that can be read.
            OSError: It cannot be opened.
        """
        self._reader = VideoReader(path)
        self._paced = paced
        self._closed = threading.Event()
        self._in_use = threading.Lock()  # held while FFmpeg reads: only then the file may not be closed
        self.facts = self._reader.facts
        self.lost = ""

    def __iter__(self) -> Iterator[Arrival]:
        """The frames; a file that is cut off ends with `lost`."""
        with self._in_use:
            try:
                yield from self._arrivals()
                if not self._closed.is_set():
                    self.lost = self._reader.cut_off()
            finally:
                self._reader.close()

    def close(self) -> None:
        """Ends the iteration; from any thread."""
        self._closed.set()
        if self._in_use.acquire(blocking=False):
            self._reader.close()
            self._in_use.release()

    def _arrivals(self) -> Iterator[Arrival]:
        if self._closed.is_set():
            return
        begun = None
        frames = self._reader.frames()
        while True:
            began = time.perf_counter_ns()
            if (decoded := next(frames, None)) is None:
                return
            decoding = began, time.perf_counter_ns()
            shown = float(decoded.pts * self.facts.time_base)
            begun = time.perf_counter() - shown if begun is None else begun
            due = begun + shown
            if self._closed.wait(max(0.0, due - time.perf_counter()) if self._paced else 0.0):
                return
            yield Arrival(decoded, due if self._paced else time.perf_counter(), decoding)
