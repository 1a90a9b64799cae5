"""Pillow's limit is lifted where a program asks for it."""

from __future__ import annotations

import pytest
from PIL import Image

from gpen_fast.device.pillow import lift_pixel_limit


def test_pictures_of_any_size_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    lift_pixel_limit()
    Image._decompression_bomb_check((100_000, 100_000))
    assert Image.MAX_IMAGE_PIXELS is None
