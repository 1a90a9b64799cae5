"""RGB of decoded frames against the formulas of BT.601, BT.709 and BT.2020."""

from __future__ import annotations

import av
import numpy as np
import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.colour import converted, frame_matrix, is_full_range, quick_rgb, to_rgb
from gpen_fast.video.planes import components

WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593), 7: (0.212, 0.087)}


def yuv_frame(layout: str, tag: int, full: bool, seed: int = 0) -> av.VideoFrame:
    """Random samples that lie within the range of RGB or near it."""
    frame = av.VideoFrame(48, 32, layout)
    rng = np.random.default_rng(seed)
    for part in components(frame):
        part.samples[...] = rng.integers(60 << (part.bits - 8), 190 << (part.bits - 8), part.samples.shape)
    frame.colorspace, frame.color_range = tag, 2 if full else 1
    return frame


def by_formula(frame: av.VideoFrame, tag: int, full: bool) -> np.ndarray:
    parts = components(frame)
    unit = 1 << (parts[0].bits - 8)
    y, u, v = (part.samples.astype(float) for part in parts)
    top = (1 << parts[0].bits) - 1
    if full:
        y, u, v = y / top, (u - 128 * unit) / top, (v - 128 * unit) / top
    else:
        y, u, v = (
            (y - 16 * unit) / (219 * unit),
            (u - 128 * unit) / (224 * unit),
            (v - 128 * unit) / (224 * unit),
        )
    kr, kb = WEIGHTS[tag]
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], axis=-1) * 255, 0, 255)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("tag", WEIGHTS)
@pytest.mark.parametrize("layout", ["yuv444p", "yuv444p10le"])
def test_rgb_is_the_formula_rounded(layout: str, tag: int, full: bool) -> None:
    frame = yuv_frame(layout, tag, full)
    # Ten bits are dithered to eight: a level off at most. Of full range, swscale takes a quarter where the formula
    # takes 255 of 1023: a third of a level more.
    most = 0.52 if layout == "yuv444p" else 1.35 if full else 1.0
    assert np.abs(to_rgb(frame) - by_formula(frame, tag, full)).max() < most


def test_untagged_frames_are_taken_as_players_take_them() -> None:
    small, large = av.VideoFrame(320, 240, "yuv420p"), av.VideoFrame(1280, 720, "yuv420p")
    small.colorspace = large.colorspace = 2
    assert frame_matrix(small).kr == 0.299
    assert frame_matrix(large).kr == 0.2126


def test_unknown_matrix_is_refused_by_its_number() -> None:
    frame = av.VideoFrame(32, 32, "yuv420p")
    frame.colorspace = 8
    with pytest.raises(VideoError, match=r"colour matrix \(number 8 .* accepted are BT.601"):
        to_rgb(frame)


def test_jpeg_grey_and_rgb_formats_have_full_range() -> None:
    assert [is_full_range(av.VideoFrame(32, 32, each)) for each in ("yuvj420p", "gray", "gbrp", "yuv420p")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_conversion_to_another_layout_keeps_matrix_and_range() -> None:
    frame = yuv_frame("yuv444p", 1, False)
    back = converted(converted(frame, "yuv444p10le"), "yuv444p")
    for before, after in zip(components(frame), components(back), strict=True):
        assert np.array_equal(before.samples, after.samples)
    assert np.abs(to_rgb(converted(frame, "gbrp")).astype(int) - to_rgb(frame)).max() <= 1


def test_the_quick_way_has_the_same_matrix_and_range_and_nearly_the_same_values() -> None:
    for tag, full in ((1, False), (5, True)):
        frame = yuv_frame("yuv420p", tag, full)
        for part in components(frame)[1:]:
            part.samples[...] = 90  # of one colour: chroma's place has no part in it
        assert np.abs(quick_rgb(frame).astype(int) - to_rgb(frame)).max() <= 2
