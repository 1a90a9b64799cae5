"""Save: what is written is what was meant."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from helpers import photo
from PIL import Image, ImageCms

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import load
from gpen_fast.stages.save import base, png
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame

CPU = torch.device("cpu")
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(text: str = "mother") -> bytes:
    made = Image.Exif()
    made[0x010E] = text
    return made.tobytes()


def frame_of(array: np.ndarray, **carried: bytes) -> Frame:
    frame = load(array, CPU)
    return Frame(frame.pixels, frame.alpha, frame.channels, **carried)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_is_exact_in_eight_bits(channels: int) -> None:
    array = photo(channels=channels)
    data = open_writer("png").encode(frame_of(array), 95)
    assert np.array_equal(np.asarray(opened(data)), array)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_exact_in_sixteen_bits_with_its_metadata(channels: int) -> None:
    array = photo(channels=channels, dtype=np.uint16)
    data = open_writer("png").encode(frame_of(array, exif=exif(), icc=ICC if channels > 1 else None), 95)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    wanted = array if channels == 1 else array[..., [2, 1, 0, 3][:channels]]
    assert np.array_equal(read, wanted)
    assert opened(data).getexif()[0x010E] == "mother"
    assert opened(data).info.get("icc_profile") == (ICC if channels > 1 else None)


def test_sixteen_bit_grey_with_alpha() -> None:
    array = photo(channels=2, dtype=np.uint16)
    data = open_writer("png").encode(frame_of(array), 95)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read[..., 0], array[..., 0])
    assert np.array_equal(read[..., 3], array[..., 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_made_in_place_says_what_the_hosts_says(channels: int, dtype: type) -> None:
    """What CUDA runs, here on the CPU: only the compressed bytes may differ."""
    profile = ICC if channels > 2 else ICC[:16] + b"GRAY" + ICC[20:]
    frame = replace(
        frame_of(photo(channels=channels, dtype=dtype), exif=exif(), icc=profile), dpi=(300.0, 150.0)
    )
    by_host = open_writer("png").encode(frame, 95)
    carried = by_host[33 : by_host.index(b"IDAT") - 4]
    in_place = png.encode_in_place(frame, carried, keep_rgb=True)
    ours, theirs = (cv2.imdecode(np.frombuffer(data, np.uint8), -1) for data in (in_place, by_host))
    assert np.array_equal(ours, theirs)
    assert in_place[: len(carried) + 33] == by_host[: len(carried) + 33]
    assert opened(in_place).info["icc_profile"] == profile


def test_small_is_smaller_and_as_exact() -> None:
    array = photo(300, 400)
    fast, small = (open_writer("png").encode(frame_of(array), 95, level) for level in ("fast", "small"))
    assert len(small) < len(fast)
    assert np.array_equal(np.asarray(opened(small)), array)


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_pixels_on_cuda(channels: int, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = replace(load(photo(channels=channels, dtype=dtype), CPU), host=None)
    there = replace(
        frame, pixels=frame.pixels.cuda(), alpha=None if frame.alpha is None else frame.alpha.cuda()
    )
    monkeypatch.setattr(png, "encode_on_host", None)  # not taken
    data = [open_writer("png").encode(there, 95), png.encode_in_place(frame, b"", keep_rgb=False)]
    assert data[0] == data[1]


def test_what_does_not_fit_on_the_device_is_encoded_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> bytes:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(png, "encode_in_place", full)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    array = photo()
    assert np.array_equal(np.asarray(opened(open_writer("png").encode(frame_of(array), 95))), array)


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


def test_colour_under_alpha_is_kept_in_webp() -> None:
    array = photo(64, 64, channels=4)
    array[:, :32, 3] = 0
    read = np.asarray(opened(open_writer("webp").encode(frame_of(array), 95)))
    assert np.abs(read[:, :32, :3].astype(int) - array[:, :32, :3]).mean() < 8
    assert not read[:, :32, 3].any()


def test_webp_carries_no_profile_of_grey() -> None:
    grey = ICC[:16] + b"GRAY" + ICC[20:]
    frame = frame_of(photo(channels=1), icc=grey)
    assert opened(open_writer("png").encode(frame, 95)).info["icc_profile"] == grey
    assert "icc_profile" not in opened(open_writer("webp").encode(frame, 95)).info


def test_jpeg_keeps_full_chroma_and_is_close() -> None:
    array = photo()
    image = opened(open_writer("jpg").encode(frame_of(array), 95))
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
    assert np.abs(np.asarray(image).astype(int) - array).mean() < 3


def test_colour_without_colour_is_written_as_one_channel_unless_its_profile_is_rgb() -> None:
    grey = np.stack([photo(channels=1)] * 3, axis=-1)
    assert opened(open_writer("png").encode(frame_of(grey), 95)).mode == "L"
    kept = opened(open_writer("png").encode(frame_of(grey, icc=ICC), 95))
    assert kept.mode == "RGB"
    assert kept.info["icc_profile"] == ICC


def test_what_a_format_cannot_hold_is_refused() -> None:
    with pytest.raises(
        PictureError, match=r"is transparent in places, which JPEG cannot hold\. Try --format png or webp"
    ):
        open_writer("jpg").encode(frame_of(photo(channels=4)), 95)
    with pytest.raises(PictureError, match=r"WebP holds 16383 a side\. Try --format png"):
        open_writer("webp").encode(Frame(torch.zeros(1, 1, 16384, dtype=torch.uint8), channels=1), 95)
    with pytest.raises(PictureError, match=r"JPEG holds 65500 a side\. Try --format png"):
        open_writer("jpg").encode(Frame(torch.zeros(1, 1, 65501, dtype=torch.uint8), channels=1), 95)
    with pytest.raises(PictureError, match=r"cannot write 'gif': accepted are jpg, png, webp"):
        open_writer("gif")


def test_jpeg_takes_alpha_that_hides_nothing() -> None:
    array = np.concatenate([photo(), np.full((60, 80, 1), 255, np.uint8)], axis=-1)
    assert opened(open_writer("jpg").encode(frame_of(array), 95)).mode == "RGB"


def test_sixteen_bits_round_to_eight_where_the_format_has_no_more() -> None:
    array = np.array([[0, 128, 129, 257 * 100, 65535]], np.uint16)
    assert base.to_8bit(array).tolist() == [[0, 0, 1, 100, 255]]
    assert opened(open_writer("webp").encode(frame_of(photo(dtype=np.uint16)), 95)).mode == "RGB"
