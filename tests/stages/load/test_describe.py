"""What is carried from a file is sound, true of the result, and said where it is left out."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from formats import CMYK, GREY, SRGB, profile_of
from helpers import photo
from PIL import Image

from gpen_fast.stages.load import load
from gpen_fast.types import Frame

CPU = torch.device("cpu")


def loaded(tmp_path: Path, suffix: str = "png", array: np.ndarray | None = None, **options: object) -> Frame:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(photo() if array is None else array).save(path, **options)
    return load(path, CPU)


@pytest.mark.parametrize(
    "icc", [b"noise" * 60, SRGB[:200], struct.pack(">I", 9) + SRGB[4:], SRGB[:36] + b"none" + SRGB[40:]]
)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_broken_profile_is_left_out_with_a_note(tmp_path: Path, icc: bytes, suffix: str) -> None:
    frame = loaded(tmp_path, suffix, icc_profile=icc)
    assert frame.icc is None
    assert frame.note == "its colour profile is damaged and left out."


@pytest.mark.parametrize(
    ("channels", "icc", "kept"),
    [
        (3, SRGB, True),
        (3, GREY, False),
        (1, GREY, True),
        (1, SRGB, False),
        (3, CMYK, False),
        (3, profile_of(b"Lab "), False),
    ],
)
def test_profile_of_other_colours_is_not_carried(
    tmp_path: Path, channels: int, icc: bytes, kept: bool
) -> None:
    frame = loaded(tmp_path, "jpg", photo(channels=channels), icc_profile=icc)
    assert frame.icc == (icc if kept else None)


def test_thumbnail_is_dropped_and_the_rest_kept(tmp_path: Path) -> None:
    thumbnail = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(thumbnail, "JPEG")
    body = thumbnail.getvalue()
    first = struct.pack("<H", 1) + struct.pack("<HHI4s", 0x010F, 2, 4, b"Kod\0") + struct.pack("<I", 26)
    second = (
        struct.pack("<H", 2)
        + struct.pack("<HHII", 0x0201, 4, 1, 56)
        + struct.pack("<HHII", 0x0202, 4, 1, len(body))
    )
    exif = b"Exif\0\0II*\0\x08\0\0\0" + first + second + bytes(4) + body
    frame = loaded(tmp_path, "jpg", exif=exif)
    assert frame.exif is not None
    assert body[:40] not in frame.exif
    carried = Image.Exif()
    carried.load(frame.exif)
    assert carried[0x010F] == "Kod"
    assert not carried.get_ifd(1)


@pytest.mark.parametrize("entries", [1, 4000])
def test_broken_exif_costs_a_note_at_most(tmp_path: Path, entries: int) -> None:
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)  # a directory inside itself
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", entries) + entry * entries + struct.pack("<I", 8)
    frame = loaded(tmp_path, "jpg", exif=exif)
    assert frame.width == 80
    assert frame.note in {"", "its EXIF is damaged and left out."}


@pytest.mark.parametrize("value", [0, 9, 60000])
def test_orientation_that_does_not_exist_turns_nothing(tmp_path: Path, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert np.array_equal(loaded(tmp_path, exif=exif).pixels.permute(1, 2, 0).numpy(), photo())


def test_huge_exif_is_left_out_with_a_note(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "x" * 70000
    frame = loaded(tmp_path, exif=exif)
    assert frame.exif is None
    assert "is left out: files hold 65533." in frame.note
    assert (frame.width, frame.height) == (60, 80), "it is turned all the same"


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("jpg", {}), ("png", {}), ("tif", {}), ("bmp", {})],
)
def test_density_is_read_and_turned_with_the_picture(
    tmp_path: Path, suffix: str, options: dict[str, object]
) -> None:
    frame = loaded(tmp_path, suffix, dpi=(300, 150), **options)
    assert frame.dpi == pytest.approx((300, 150), abs=0.1)
    if suffix in {"jpg", "png"}:
        exif = Image.Exif()
        exif[0x0112] = 6
        assert loaded(tmp_path, suffix, dpi=(300, 150), exif=exif).dpi == pytest.approx((150, 300), abs=0.1)


def test_density_that_is_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, "png").dpi is None
    assert loaded(tmp_path, "tif", resolution=0, resolution_unit=2).dpi is None


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:rights="mother"/>%s</x:xmpmeta>'


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_xmp_is_carried_upright_and_without_thumbnails(tmp_path: Path, suffix: str) -> None:
    frame = loaded(tmp_path, suffix, xmp=XMP % b"<xmpGImg:image>/9j/4AA</xmpGImg:image>")
    assert frame.xmp == (XMP % b"").replace(b'"6"', b'"1"')
    assert (frame.width, frame.height) == (60, 80), "XMP may be all that says how it lies"


def test_xmp_that_points_into_its_file_is_left_out(tmp_path: Path) -> None:
    frame = loaded(tmp_path, "jpg", xmp=XMP % b"<Container:Directory/>")
    assert frame.xmp is None
    assert frame.note == "its XMP describes parts of the file that are not kept, and is left out."


def test_more_than_eight_bits_of_heic_and_avif_are_noted(tmp_path: Path) -> None:
    data = bytearray(b"\0\0\0\x18ftypavif" + bytes(40) + b"av1C\x81\x00\x40\x00")
    from gpen_fast.stages.load.content import bits_cut

    image = Image.new("RGB", (4, 4))
    image.format = "AVIF"
    assert bits_cut(image, bytes(data)) == 10
    data[-2] = 0x60
    assert bits_cut(image, bytes(data)) == 12
    data[-2] = 0
    assert bits_cut(image, bytes(data)) == 8


def test_ten_bits_of_heic(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    deep = photo(64, 64, dtype=np.uint16)
    pillow_heif.encode("RGB;16", (64, 64), deep.tobytes(), tmp_path / "a.heic", quality=90)
    frame = load(tmp_path / "a.heic", CPU)
    assert frame.pixels.dtype == torch.uint8
    assert frame.note in {"its 10 bits are read as 8.", "its 12 bits are read as 8."}
    assert np.abs(frame.pixels.permute(1, 2, 0).numpy().astype(int) - (deep >> 8)).mean() < 4
