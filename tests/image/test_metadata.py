"""The limits of metadata are those of the formats."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from gpen_fast.image.metadata import MOST_EXIF


def test_a_jpeg_segment_holds_this_much_exif_and_no_more() -> None:
    def saved(length: int) -> bytes:
        file = io.BytesIO()
        Image.new("L", (8, 8)).save(file, "JPEG", exif=b"Exif\0\0".ljust(length, b"x"))
        return file.getvalue()

    most = MOST_EXIF
    assert Image.open(io.BytesIO(saved(most))).info["exif"]
    with pytest.raises(ValueError, match="too long"):
        saved(most + 1)
