"""JPEG through Pillow, without chroma subsampling: faces lose most by it."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.stages.save.base import contents, to_8bit
from gpen_fast.types import TOPS, Frame


def encode(frame: Frame, quality: int) -> bytes:
    """The picture as a JPEG file. 16 bits become 8; PictureError for transparency, which JPEG cannot hold."""
    if frame.alpha is not None:
        if frame.alpha.int().min() < TOPS[frame.alpha.dtype]:
            raise PictureError("is transparent in places, which JPEG cannot hold. Try --format png or webp.")
        frame = replace(frame, alpha=None)
    array, icc = contents(frame)
    file = io.BytesIO()
    carried = {key: value for key, value in (("exif", frame.exif), ("icc_profile", icc)) if value}
    Image.fromarray(to_8bit(array)).save(file, "JPEG", quality=quality, subsampling="4:4:4", **carried)
    return file.getvalue()
