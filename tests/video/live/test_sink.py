"""Where live frames go."""

from __future__ import annotations

import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.live.sink import open_sink


def test_nowhere_takes_everything_and_others_are_refused() -> None:
    sink = open_sink("none", None)  # type: ignore[arg-type]
    sink.put(None, 0.0)  # type: ignore[arg-type]
    sink.close()
    assert not sink.ended
    with pytest.raises(VideoError, match="accepted is none"):
        open_sink("moon", None)  # type: ignore[arg-type]
