"""Pillow's limit goes only where it is lifted on purpose."""

from __future__ import annotations

import pytest
from PIL import Image

from gpen_fast.device.pillow import lift_pillow_limit


def test_limit_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    with pytest.raises(Image.DecompressionBombError):
        Image._decompression_bomb_check((2, 2))
    lift_pillow_limit()
    Image._decompression_bomb_check((2, 2))
