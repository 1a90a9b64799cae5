"""A film that is to be restored, and what it becomes. Imports neither torch nor PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gpen_fast.run.video.numbered import FrameNames, FrameSequence


@dataclass(frozen=True)
class VideoItem:
    """A video, or numbered pictures, that are to be restored."""

    source: Path
    """The input; of numbered pictures their folder and common name."""
    target: Path
    """The output; of numbered pictures their folder."""
    container: str
    """FFmpeg's name of the output's format; empty for pictures."""
    sequence: FrameSequence | None = None
    """The input's pictures; None: it is a video."""
    pictures: FrameNames | None = None
    """How the output's pictures are named; None: it is a video."""
