"""WebP through Pillow."""

from __future__ import annotations

import io

from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.stages.save.base import contents, to_8bit
from gpen_fast.types import Frame

_LONGEST = 16383


def encode(frame: Frame, quality: int) -> bytes:
    """The picture as a WebP file. 16 bits become 8; PictureError over 16383 pixels a side."""
    if max(frame.width, frame.height) > _LONGEST:
        raise PictureError(
            f"{frame.width}x{frame.height} pixels: WebP holds {_LONGEST} a side. Try --format png."
        )
    array, icc = contents(frame)
    file = io.BytesIO()
    carried = {key: value for key, value in (("exif", frame.exif), ("icc_profile", icc)) if value}
    Image.fromarray(to_8bit(array)).save(file, "WEBP", quality=quality, **carried)
    return file.getvalue()
