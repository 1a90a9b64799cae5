"""Save: what is written is what was meant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import photo
from PIL import Image
from saving import ICC, exif, frame_of, opened

from gpen_fast.errors import PictureError
from gpen_fast.image.colour import to_8bit
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import as_grey, open_writer
from gpen_fast.types import Frame

CPU = torch.device("cpu")


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png"])
def test_metadata_is_carried(suffix: str) -> None:
    image = opened(open_writer(suffix).encode(frame_of(photo(), exif=exif(), icc=ICC), 95))
    assert image.getexif()[0x010E] == "mother"
    assert image.info["icc_profile"] == ICC


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_density_is_carried(suffix: str, dtype: type) -> None:
    frame = replace(load(photo(dtype=dtype), CPU), dpi=(300.0, 150.0))
    assert opened(open_writer(suffix).encode(frame, 95)).info["dpi"] == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_xmp_is_carried(suffix: str) -> None:
    frame = replace(load(photo(), CPU), xmp=b"<x:xmpmeta/>")
    assert opened(open_writer(suffix).encode(frame, 95)).info["xmp"] == b"<x:xmpmeta/>"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_size_in_exif_is_the_files_own(suffix: str) -> None:
    made = Image.Exif()
    made[0x0100], made[0x010E] = 4000, "mother"
    made.get_ifd(0x8769).update({0xA002: 4000, 0xA003: 3000, 0x9003: "1931:05:01 00:00:00"})
    carried = opened(open_writer(suffix).encode(frame_of(photo(), exif=made.tobytes()), 95)).getexif()
    assert carried[0x0100] == 80
    details = carried.get_ifd(0x8769)
    assert (details[0xA002], details[0xA003], details[0x9003]) == (80, 60, "1931:05:01 00:00:00")
    assert carried[0x010E] == "mother"


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_result_has_its_inputs_channels(suffix: str, channels: int) -> None:
    """Film frames that are black or without colour have the form of the others: readers follow the first frame."""
    grey = photo(channels=1)
    array = grey if channels == 1 else np.stack([grey] * 3, axis=-1)
    mode = "RGB" if channels == 3 or suffix == "webp" else "L"
    assert opened(open_writer(suffix).encode(frame_of(array), 95)).mode == mode


def test_grey_as_grey_is_one_channel_unless_the_profile_is_rgb() -> None:
    grey = np.stack([photo(channels=1)] * 3, axis=-1)
    assert opened(open_writer("png").encode(as_grey(frame_of(grey)), 95)).mode == "L"
    kept = opened(open_writer("png").encode(as_grey(frame_of(grey, icc=ICC)), 95))
    assert kept.mode == "RGB"
    assert kept.info["icc_profile"] == ICC
    assert as_grey(frame_of(photo())).channels == 3


def test_what_a_format_cannot_hold_is_refused() -> None:
    with pytest.raises(
        PictureError, match=r"is transparent in places, which JPEG cannot hold\. Try --format png or webp"
    ):
        open_writer("jpg").encode(frame_of(photo(channels=4)), 95)
    with pytest.raises(PictureError, match=r"WebP holds 16383 a side\. Try --format png"):
        open_writer("webp").encode(Frame(torch.zeros(1, 1, 16384, dtype=torch.uint8), channels=1), 95)
    with pytest.raises(PictureError, match=r"JPEG holds 65500 a side\. Try --format png"):
        open_writer("jpg").encode(Frame(torch.zeros(1, 1, 65501, dtype=torch.uint8), channels=1), 95)
    with pytest.raises(PictureError, match=r"cannot write 'gif': accepted are jpg, png, tif, webp"):
        open_writer("gif")


def test_sixteen_bits_round_to_eight_where_the_format_has_no_more() -> None:
    array = np.array([[0, 128, 129, 257 * 100, 65535]], np.uint16)
    assert to_8bit(array).tolist() == [[0, 0, 1, 100, 255]]
    assert opened(open_writer("webp").encode(frame_of(photo(dtype=np.uint16)), 95)).mode == "RGB"
