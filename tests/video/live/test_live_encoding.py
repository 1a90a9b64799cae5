"""How live frames are encoded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from live_ends import stream_facts

from gpen_fast.video.live.live_encoding import live_encoding


@pytest.mark.parametrize(
    ("layout", "size", "container", "for_stream", "expected"),
    [
        ("yuv420p", (64, 48), "mp4", False, ("libx264", "yuv420p")),
        ("yuv422p", (64, 48), "matroska", False, ("libx264", "yuv422p")),
        ("yuv420p10le", (64, 48), "mp4", False, ("libx264", "yuv420p10le")),
        ("gbrp", (64, 48), "mp4", False, ("libx264", "yuv420p")),
        ("yuv420p", (65, 48), "mp4", False, ("libx264", "yuv444p")),
        ("yuv422p", (64, 48), "mpegts", True, ("libx264", "yuv420p")),
        ("yuv420p10le", (64, 48), "flv", True, ("libx264", "yuv420p")),
        ("yuv420p", (64, 48), "webm", False, ("libvpx-vp9", "yuv420p")),
    ],
)
def test_the_layout(
    layout: str, size: tuple[int, int], container: str, for_stream: bool, expected: tuple[str, str]
) -> None:
    facts = replace(stream_facts(*size), pixel_format=layout)
    found = live_encoding(facts, container, for_stream=for_stream)
    assert (found.encoder, found.pixel_format) == expected


def test_frames_are_not_held_back() -> None:
    found = live_encoding(replace(stream_facts(64, 48), pixel_format="yuv420p"), "mp4", for_stream=False)
    assert found.options["tune"] == "zerolatency" and found.options["preset"] == "veryfast"
