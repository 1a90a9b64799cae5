"""Where live frames go: nowhere."""

from __future__ import annotations

from typing import Protocol

import av

from gpen_fast.errors import VideoError
from gpen_fast.video.facts import StreamFacts


class LiveSink(Protocol):
    """Takes frames."""

    @property
    def ended(self) -> bool:
        """Whether the user closed it."""

    def put(self, frame: av.VideoFrame, seconds: float) -> None:
        """Takes the frame that is shown so many seconds after the first one arrived."""

    def close(self) -> None:
        """Makes it whole."""


class _Nowhere:
    ended = False

    def put(self, frame: av.VideoFrame, seconds: float) -> None: ...

    def close(self) -> None: ...


def open_sink(out: str, facts: StreamFacts) -> LiveSink:
    """Opens where frames go.

    Args:
        out: none.
        facts: The stream.

    Raises:
        VideoError: It cannot be opened.
    """
    if out != "none":
        raise VideoError(f"output {out}: accepted is none.")
    return _Nowhere()
