"""Chunks as the specification wants them, read by Pillow."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from gpen_fast.png import chunks


def test_density_and_text_are_read_back() -> None:
    around = chunks.metadata_chunks(dpi=(300.0, 150.0), xmp=b"<x:xmpmeta/>")
    pixels = chunks.chunk(b"IDAT", bytes.fromhex("78da6360000000020001"))
    image = Image.open(io.BytesIO(chunks.header(1, 1, 1, 8) + around + pixels + chunks.END))
    assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)
    assert image.info["xmp"] == b"<x:xmpmeta/>"


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_colour_types(channels: int, mode: str) -> None:
    image = Image.open(io.BytesIO(chunks.header(7, 5, channels, 8) + chunks.chunk(b"IDAT", b"") + chunks.END))
    assert (image.mode, image.size) == (mode, (7, 5))
