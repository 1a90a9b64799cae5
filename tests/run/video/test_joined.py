"""How the stream of a film is encoded."""

from __future__ import annotations

from pathlib import Path

import pytest
from film_frames import write_deep_frames, write_frames

from gpen_fast.run.video.films import film_facts
from gpen_fast.run.video.joined import encoded_stream
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.settings import VideoOptions


@pytest.mark.parametrize(
    ("deep", "codec", "expected"),
    [
        (False, None, ("libx264", "yuv420p")),
        (True, None, ("libx264", "yuv420p10le")),
        (True, "prores", ("prores_ks", "yuva444p10le")),
        (False, "ffv1", ("ffv1", "bgr0")),
        (True, "ffv1", ("ffv1", "gbrap16le")),
    ],
)
def test_pictures_are_encoded_in_a_layout_that_holds_them(
    tmp_path: Path, deep: bool, codec: str | None, expected: tuple[str, str]
) -> None:
    folder = (write_deep_frames if deep else write_frames)(tmp_path / "in", 1)
    options = VideoOptions(fps="24", codec=codec)
    item = plan_videos([str(folder)], tmp_path / "o.mov", options).todo[0]
    if codec == "ffv1":
        item = plan_videos([str(folder)], tmp_path / "o.mkv", options).todo[0]
    encoding = encoded_stream(film_facts(item, options), item, options).encoding
    assert (encoding.encoder, encoding.pixel_format) == expected
