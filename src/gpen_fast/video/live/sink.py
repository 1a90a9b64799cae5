"""Opens where a live run's frames go."""

from __future__ import annotations

import re
from typing import Protocol

import av

from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.live.file_sink import FileSink
from gpen_fast.video.live.stream_sink import open_stream_sink
from gpen_fast.video.live.virtual import VirtualSink

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")


class LiveSink(Protocol):
    """Takes frames. All calls come from one thread."""

    @property
    def ended(self) -> bool:
        """Whether the user closed it."""

    def put(self, frame: av.VideoFrame, seconds: float) -> None:
        """Takes the frame that is shown so many seconds after the first one arrived."""

    def close(self) -> None:
        """Makes it whole. A second call does nothing."""


class _Nowhere:
    ended = False

    def put(self, frame: av.VideoFrame, seconds: float) -> None: ...

    def close(self) -> None: ...


def open_sink(out: str, facts: StreamFacts) -> LiveSink:
    """Opens where frames go.

    Args:
        out: none, window, virtual (a virtual camera), the address of a stream (`scheme://...`), or a file.
        facts: The stream.

    Raises:
        VideoError: It cannot be opened.
        InstallError: The virtual camera's package is missing.
        OSError: The file cannot be written.
    """
    if out == "none":
        return _Nowhere()
    if out == "window":
        from gpen_fast.video.live.window import WindowSink

        return WindowSink()
    if out == "virtual":
        return VirtualSink(facts)
    if _ADDRESS.match(out):
        return open_stream_sink(out, facts)
    return FileSink(out, facts)
