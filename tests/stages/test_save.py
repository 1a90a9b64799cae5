"""Save: what is written is what was meant, and never half of it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import photo
from PIL import Image, ImageCms

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import load
from gpen_fast.stages.save import base
from gpen_fast.stages.save.base import copy_file, open_writer, write_file
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


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png"])
def test_metadata_is_carried(suffix: str) -> None:
    image = opened(open_writer(suffix).encode(frame_of(photo(), exif=exif(), icc=ICC), 95))
    assert image.getexif()[0x010E] == "mother"
    assert image.info["icc_profile"] == ICC


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
    with pytest.raises(PictureError, match=r"cannot write 'gif': accepted are jpg, png, webp"):
        open_writer("gif")


def test_jpeg_takes_alpha_that_hides_nothing() -> None:
    array = np.concatenate([photo(), np.full((60, 80, 1), 255, np.uint8)], axis=-1)
    assert opened(open_writer("jpg").encode(frame_of(array), 95)).mode == "RGB"


def test_sixteen_bits_round_to_eight_where_the_format_has_no_more() -> None:
    array = np.array([[0, 128, 129, 257 * 100, 65535]], np.uint16)
    assert base.to_8bit(array).tolist() == [[0, 0, 1, 100, 255]]
    assert opened(open_writer("webp").encode(frame_of(photo(dtype=np.uint16)), 95)).mode == "RGB"


def test_failed_write_leaves_no_file_and_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.png"
    write_file(target, b"old")

    def full_disk(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_longest_name_and_new_folders(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / ("n" * 251 + ".png")
    write_file(target, b"data")
    assert target.read_bytes() == b"data"
    copy_file(target, tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes() == b"data"


def test_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write_file(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode
