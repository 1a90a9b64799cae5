"""What a name opens: a camera, a stream or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.live.source import open_source


def test_a_name_that_is_nothing_is_refused_with_what_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(
        VideoError, match=r"no such file\. Accepted are a camera's number .* and a video file"
    ):
        open_source(str(tmp_path / "absent.mp4"))
    with pytest.raises(VideoError, match="is a folder"):
        open_source(str(tmp_path))


def test_a_files_address_is_a_file(clip: Path) -> None:
    assert len(list(open_source(f"file://{clip}", paced=False))) == 20
