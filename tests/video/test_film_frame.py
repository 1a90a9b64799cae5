"""Parts of a film's frame have the very pixels that the conversion of the whole frame gives."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from clips import clip_pixels
from videos import write_video

from gpen_fast.types import Frame
from gpen_fast.video.change import Area
from gpen_fast.video.colour import to_rgb
from gpen_fast.video.cuts import thumbnail
from gpen_fast.video.film_frame import FilmFrame, area_around, film_frame, turned_back, with_area
from gpen_fast.video.planes import components


def noise_frame(layout: str, width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, layout)
    rng = np.random.default_rng(0)
    for part in components(frame):
        part.samples[...] = rng.integers(0, 1 << part.bits, part.samples.shape)
    frame.colorspace, frame.color_range = 1, 1
    return frame


def set_pixels(frame: Frame, area: Area) -> np.ndarray:
    return frame.pixels[:, area.y0 : area.y1, area.x0 : area.x1].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "layout",
    ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv411p", "yuv420p10le", "yuv422p12le", "yuva420p"],
)
def test_each_area_is_that_of_the_whole_conversion(layout: str, rotation: int) -> None:
    decoded = noise_frame(layout, 404, 306)
    whole = np.rot90(to_rgb(decoded), rotation // 90)
    height, width = whole.shape[:2]
    for area in (
        Area(101, 77, 150, 133),
        Area(-20, -9, 31, 8),
        Area(width - 40, height - 23, width + 5, height),
    ):
        frame = film_frame(decoded, rotation)
        assert isinstance(frame, FilmFrame)
        assert (frame.width, frame.height) == (width, height)
        frame.show(area)
        (known,) = frame.areas
        assert known.x1 - known.x0 < 160 and known.y1 - known.y0 < 160
        assert known.x0 <= max(0, area.x0) and known.y1 >= min(height, area.y1)
        assert np.array_equal(set_pixels(frame, known), whole[known.y0 : known.y1, known.x0 : known.x1])
        assert np.array_equal(frame.on_host.permute(1, 2, 0).numpy(), whole)


def test_chroma_lies_where_the_decoder_says(tmp_path: Path) -> None:
    """H.264 has it at the left of its pixels; a frame that is made anew has it in the middle."""
    source = write_video(tmp_path / "x.mp4", clip_pixels("pan", 1, 180))
    with av.open(str(source)) as given:
        decoded = next(given.decode(video=0))
    frame = film_frame(decoded, 0)
    assert isinstance(frame, FilmFrame)
    frame.show(Area(120, 60, 170, 100))
    (known,) = frame.areas
    assert np.array_equal(set_pixels(frame, known), to_rgb(decoded)[known.y0 : known.y1, known.x0 : known.x1])


@pytest.mark.parametrize(
    ("layout", "width", "height"),
    [("yuv420p", 203, 100), ("yuv420p", 200, 101), ("gbrp", 96, 64), ("gray", 96, 64)],
)
def test_frames_whose_parts_would_differ_are_not_taken(layout: str, width: int, height: int) -> None:
    assert film_frame(noise_frame(layout, width, height), 0) is None


def test_a_frame_without_colour_is_not_taken() -> None:
    """Only all of its pixels tell whether it is grey: a picture without colour is restored without."""
    decoded = noise_frame("yuv420p", 128, 96)
    for part in components(decoded)[1:]:
        part.samples[...] = np.random.default_rng(1).integers(125, 132, part.samples.shape)
    assert film_frame(decoded, 0) is None


def test_what_is_shown_later_spares_what_a_result_has_there() -> None:
    decoded = noise_frame("yuv420p", 320, 240)
    frame = film_frame(decoded, 0)
    assert isinstance(frame, FilmFrame)
    frame.show(Area(100, 100, 130, 130))
    (known,) = frame.areas
    result = FilmFrame(frame.writable(), decoded=decoded, rotation=0, areas=frame.areas)
    assert torch.equal(result.pixels[:, 100:130, 100:130], frame.pixels[:, 100:130, 100:130])
    result.pixels[:, 100:130, 100:130] = 7
    with_area(result, Area(60, 60, 180, 180))
    assert (set_pixels(result, Area(100, 100, 130, 130)) == 7).all()
    assert np.array_equal(
        set_pixels(result, Area(140, known.y1, 180, 180)), to_rgb(decoded)[known.y1 : 180, 140:180]
    )
    assert frame.areas == [known]


def test_its_thumbnail_is_that_of_a_picture() -> None:
    pixels = clip_pixels("pan", 1, 720)[0]
    decoded = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p10le")
    for rotation in (0, 90):
        frame = film_frame(decoded, rotation)
        assert isinstance(frame, FilmFrame)
        turned = np.ascontiguousarray(np.rot90(pixels, rotation // 90).transpose(2, 0, 1))
        ours, other = thumbnail(frame), thumbnail(Frame(torch.from_numpy(turned)))
        assert np.corrcoef(ours.ravel(), other.ravel())[0, 1] > 0.99
        assert abs(ours.mean() - other.mean()) < 12  # limited range, and luma instead of the mean of RGB


def test_areas() -> None:
    points = np.array([[10.5, 20.0], [30.0, 21.0]])
    assert area_around(points) == Area(2, 12, 39, 30)
    assert area_around(points, 0.5) == Area(-8, 2, 49, 40)
    # A quarter counter-clockwise brings a picture's right column to the top.
    assert turned_back(Area(0, 0, 3, 1), (10, 20), 90) == Area(19, 0, 20, 3)
    plain = Frame(torch.zeros((3, 8, 8), dtype=torch.uint8))
    assert with_area(plain, Area(0, 0, 4, 4)) is plain
