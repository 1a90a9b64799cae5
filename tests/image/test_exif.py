"""EXIF states the size of the picture that carries it, and keeps every byte that need not change."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from gpen_fast.image.directory import ASCII, TagEntry, TagFile, TagTree, directory_bytes, number_entry
from gpen_fast.image.exif import (
    EXIF_DIRECTORY,
    IMAGE_LENGTH,
    IMAGE_WIDTH,
    ORIENTATION,
    PIXEL_X_DIMENSION,
    PIXEL_Y_DIMENSION,
    PROCESSING_SOFTWARE,
    exif_of_size,
    exif_of_tree,
    exif_with_text,
    upright_exif,
)
from gpen_fast.pictures import load_image, save_image

DESCRIPTION = 0x010E
TEXT = "Großmutter Müller 祖母"


def exif(width: int | None = None, details: tuple[int, int] | None = None) -> bytes:
    made = Image.Exif()
    made[DESCRIPTION] = "mother"
    if width is not None:
        made[IMAGE_WIDTH] = width
    if details is not None:
        made.get_ifd(EXIF_DIRECTORY).update(
            dict(zip((PIXEL_X_DIMENSION, PIXEL_Y_DIMENSION), details, strict=True))
        )
    return made.tobytes()


def test_wrong_sizes_are_corrected_and_absent_ones_stay_absent() -> None:
    read = Image.Exif()
    read.load(exif_of_size(exif(4000, (4000, 3000)), 80, 60))
    details = read.get_ifd(EXIF_DIRECTORY)
    assert (read[IMAGE_WIDTH], details[PIXEL_X_DIMENSION], details[PIXEL_Y_DIMENSION]) == (80, 80, 60)
    assert IMAGE_LENGTH not in read
    assert read[DESCRIPTION] == "mother"


def test_true_or_unstated_sizes_leave_every_byte() -> None:
    for data in (exif(), exif(80, (80, 60))):
        assert exif_of_size(data, 80, 60) == data


def stored(order: str) -> bytes:
    """EXIF as cameras write it: text beyond ASCII, a maker's note, an orientation, a thumbnail."""
    details = TagTree([TagEntry(0x927C, 7, b"Nikon\0" + bytes(40)), number_entry(0xA002, order, 4000)], {})
    main = TagTree(
        [TagEntry(DESCRIPTION, ASCII, TEXT.encode() + b"\0"), number_entry(ORIENTATION, order, 6, kind=3)],
        {EXIF_DIRECTORY: details},
    )
    data = exif_of_tree(main, order)
    file = TagFile.of(data[6:])
    made = bytearray(data[6:])
    second = len(made)
    struct.pack_into(order + "I", made, file.directory(8).next_at, second)
    thumbnail = [number_entry(0x0201, order, second + 30), number_entry(0x0202, order, 500)]
    made += directory_bytes(thumbnail, second, order) + b"\xff\xd8face".ljust(500, b"x")
    return b"Exif\0\0" + bytes(made)


@pytest.mark.parametrize("order", ["<", ">"])
def test_upright_exif_changes_the_orientation_and_drops_the_thumbnail_only(order: str) -> None:
    data = stored(order)
    got = upright_exif(data)
    assert b"face" not in got
    assert len(got) < len(data) - 450
    differing = [at for at in range(len(got)) if got[at] != data[at]]
    assert len(differing) <= 4, "the orientation's byte and the pointer to the thumbnail"
    assert TEXT.encode() in got
    read = Image.Exif()
    read.load(got)
    assert read[ORIENTATION] == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_text_is_added_and_nothing_else_moves(order: str) -> None:
    before = upright_exif(stored(order))
    for exif in (before, exif_with_text(before, PROCESSING_SOFTWARE, "one")):
        got = exif_with_text(exif, PROCESSING_SOFTWARE, "gpen-fast 1.0")
        assert got[14 : len(before)] == before[14:]
        read = Image.Exif()
        read.load(got)
        assert read[PROCESSING_SOFTWARE] == "gpen-fast 1.0"
        assert read.get_ifd(EXIF_DIRECTORY)[0xA002] == 4000


def test_exif_damaged_in_places_is_rebuilt_of_what_is_left() -> None:
    broken = TagTree([TagEntry(DESCRIPTION, ASCII, b"mother\0"), TagEntry(315, ASCII, b"x" * 90)], {})
    got = upright_exif(exif_of_tree(broken, "<")[:-80])
    read = Image.Exif()
    read.load(got)
    assert dict(read) == {DESCRIPTION: "mother"}


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exiftool_reads_every_letter_in_every_format(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "in.jpg"
    Image.new("RGB", (64, 48), "grey").save(source)
    told = {"ImageDescription": TEXT, "Artist": "Žižek", "OwnerName": "Đặng", "UserComment": "日本"}
    command = ["exiftool", "-q", "-overwrite_original", *(f"-{name}={text}" for name, text in told.items())]
    subprocess.run([*command, str(source)], check=True)
    save_image(load_image(source), tmp_path / f"out.{suffix}")
    read = subprocess.run(
        ["exiftool", "-j", *(f"-{name}" for name in told), str(tmp_path / f"out.{suffix}")],
        capture_output=True,
        check=True,
    )
    got = json.loads(read.stdout)[0]
    assert {name: got.get(name) for name in told} == told
