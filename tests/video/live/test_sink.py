"""What `--out` opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.live.sink import open_sink


def test_nowhere_takes_everything() -> None:
    sink = open_sink("none", None)  # type: ignore[arg-type]
    sink.put(None, 0.0)  # type: ignore[arg-type]
    sink.close()
    assert not sink.ended


def test_a_name_that_is_nothing_is_refused_with_what_is_accepted(clip: Path) -> None:
    with pytest.raises(VideoError, match=r"moon: accepted are window, virtual, none, .* ends in \.mp4"):
        open_sink("moon", FileSource(clip, paced=False).facts)
