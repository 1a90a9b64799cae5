"""Samples of frames as arrays."""

from __future__ import annotations

import av
import numpy as np
import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.planes import components, planar, planar_name


@pytest.mark.parametrize(
    ("layout", "shapes"),
    [
        ("yuv420p", [(33, 47), (17, 24), (17, 24)]),
        ("yuv422p10le", [(33, 47), (33, 24), (33, 24)]),
        ("yuva444p", [(33, 47)] * 3),
        ("gbrp", [(33, 47)] * 3),
        ("gray", [(33, 47)]),
    ],
)
def test_components_are_the_frames_own_memory(layout: str, shapes: list[tuple[int, int]]) -> None:
    frame = av.VideoFrame(47, 33, layout)
    parts = components(frame)
    assert [part.samples.shape for part in parts] == shapes
    parts[0].samples[...] = 77
    assert (components(frame)[0].samples == 77).all()


@pytest.mark.parametrize("layout", ["nv12", "yuyv422", "rgb24", "bgra", "p010le"])
def test_packed_formats_are_taken_apart_without_loss(layout: str) -> None:
    frame = av.VideoFrame(32, 16, planar_name(layout))
    for part in components(frame):
        part.samples[...] = np.random.default_rng(1).integers(20, 230, part.samples.shape)
    frame.color_range, frame.colorspace = 1, 1
    again = planar(frame.reformat(format=layout))
    for before, after in zip(components(frame), components(again), strict=True):
        assert np.array_equal(before.samples, after.samples)


def test_format_that_cannot_be_taken_apart_is_refused() -> None:
    with pytest.raises(VideoError, match=r"pixel format ya8: .* ffmpeg -pix_fmt"):
        planar(av.VideoFrame(32, 32, "ya8"))
