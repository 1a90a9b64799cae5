"""What every source gives."""

from __future__ import annotations

from pathlib import Path

from gpen_fast.video.live.arrival import Arrival, LiveSource
from gpen_fast.video.live.file_source import FileSource


def test_frames_are_not_printed(clip: Path) -> None:
    source: LiveSource = FileSource(clip, paced=False)
    arrival = next(iter(source))
    assert isinstance(arrival, Arrival)
    assert "VideoFrame" not in repr(arrival)
    source.close()
