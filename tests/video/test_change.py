"""A change of RGB in a frame's own samples: what is outside stays to the bit, what is inside is the change."""

from __future__ import annotations

import av
import numpy as np
import pytest

from gpen_fast.video.change import Area, change_samples
from gpen_fast.video.colour import to_rgb
from gpen_fast.video.planes import components

LAYOUTS = [
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuvj420p",
    "yuv420p10le",
    "yuv444p12le",
    "gbrp",
    "gbrp10le",
    "yuv411p",
]


def smooth_frame(layout: str, width: int = 64, height: int = 48) -> av.VideoFrame:
    """A frame of mild colours with noise in every bit."""
    frame, rng = av.VideoFrame(width, height, layout), np.random.default_rng(3)
    for part in components(frame):
        middle = np.linspace(100, 150, part.samples.shape[1]) * (1 << (part.bits - 8))
        part.samples[...] = middle + rng.integers(0, 4 << (part.bits - 8), part.samples.shape)
    frame.colorspace, frame.color_range = (0 if layout.startswith("gbr") else 1), 1
    return frame


@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_outside_stay_and_rgb_inside_changes_as_told(layout: str) -> None:
    frame = smooth_frame(layout)
    before, samples = to_rgb(frame), [part.samples.copy() for part in components(frame)]
    after = before.copy()
    # Blocks of chroma are even: the change of colour is exact there.
    after[8:40, 16:48] = np.clip(after[8:40, 16:48].astype(int) + np.array([20, -12, 9]), 0, 255)
    change_samples(frame, before, after, [Area(16, 8, 48, 40)])
    for number, (part, was) in enumerate(zip(components(frame), samples, strict=True)):
        outside = np.ones(was.shape, bool)
        down, across = 48 // was.shape[0], 64 // was.shape[1]
        outside[8 // down : 40 // down, 16 // across : 48 // across] = False
        assert np.array_equal(part.samples[outside], was[outside]), number
        assert not np.array_equal(part.samples[~outside], was[~outside]), number
    # Inside and away from the border, where chroma is interpolated across it.
    inner = (slice(14, 34), slice(24, 40))
    assert np.abs(to_rgb(frame)[inner].astype(int) - after[inner]).max() <= 3
    assert np.abs(to_rgb(frame)[inner].astype(float) - after[inner]).mean() < 1


def test_nothing_changes_where_rgb_is_the_same() -> None:
    frame = smooth_frame("yuv420p10le")
    samples = [part.samples.copy() for part in components(frame)]
    change_samples(frame, to_rgb(frame), to_rgb(frame), [Area(0, 0, 64, 48)])
    assert all(
        np.array_equal(part.samples, was) for part, was in zip(components(frame), samples, strict=True)
    )


def test_overlapping_areas_add_their_change_once_and_may_reach_beyond_the_picture() -> None:
    one, two = smooth_frame("yuv420p", 63, 47), smooth_frame("yuv420p", 63, 47)
    before = to_rgb(one)
    after = np.clip(before.astype(int) + 15, 0, 255).astype(np.uint8)
    change_samples(one, before, after, [Area(-9, -9, 99, 99)])
    change_samples(two, before, after, [Area(-9, -9, 40, 99), Area(31, -5, 80, 50), Area(70, 0, 90, 9)])
    for first, second in zip(components(one), components(two), strict=True):
        assert np.array_equal(first.samples, second.samples)


def test_alpha_and_an_earlier_reference_stay() -> None:
    frame = smooth_frame("yuva444p")
    np.frombuffer(frame.planes[3], np.uint8)[...] = 91
    before = to_rgb(frame)
    change_samples(
        frame, before, np.clip(before.astype(int) + 9, 0, 255).astype(np.uint8), [Area(0, 0, 64, 48)]
    )
    assert (np.frombuffer(frame.planes[3], np.uint8) == 91).all()


def test_grey_changes_by_its_luma() -> None:
    frame = smooth_frame("gray")
    before, was = to_rgb(frame), components(frame)[0].samples.copy()
    change_samples(frame, before, before + np.uint8(7), [Area(0, 0, 64, 48)])
    assert (components(frame)[0].samples.astype(int) - was == 7).all()
