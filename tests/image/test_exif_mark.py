"""The mark of pictures that were restored in place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import photo, write_photo
from PIL import Image

from gpen_fast.image.exif_mark import is_marked, marked
from gpen_fast.pictures import load_image, save_image


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_mark_is_seen_and_leaves_the_rest_alone(tmp_path: Path, suffix: str) -> None:
    path = write_photo(tmp_path / f"a.{suffix}")
    assert not is_marked(path)
    exif = Image.Exif()
    exif[0x0131], exif[0x010E] = "camera 1.0", "mother"
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(photo()).save(path, exif=marked(exif.tobytes()))
    assert is_marked(path)
    with Image.open(path) as image:
        kept = image.getexif()
    assert (kept[0x0131], kept[0x010E], kept.get_ifd(0x8825)[1]) == ("camera 1.0", "mother", "N")
    assert kept[0x000B].startswith("gpen-fast ")


def test_mark_in_a_tiff_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for exif, wanted in ((None, False), (marked(None), True)):
        frame = replace(load_image(photo()), exif=exif)
        save_image(frame, path)
        assert is_marked(path) is wanted


def test_what_cannot_be_read_bears_no_mark(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"gpen-fast")
    assert not is_marked(tmp_path / "a.jpg")
    assert not is_marked(tmp_path / "none.jpg")
