"""JPEG through Pillow, without chroma subsampling: faces lose most by it."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.plugins import FormatFacts
from gpen_fast.settings import FAST
from gpen_fast.stages.save.base import contents, metadata, to_8bit
from gpen_fast.types import TOPS, Frame

FACTS = FormatFacts(
    suffixes=("jpg", "jpeg", "jpe", "jfif"),
    depths=(8,),
    alpha=False,
    lossless=False,
    help="small, 8 bits, opaque",
)

# Sixteen bits for a side, of which libjpeg leaves some out (JPEG_MAX_DIMENSION).
_LONGEST = 65500


def encode(frame: Frame, quality: int, level: str = FAST) -> bytes:
    """The picture as a JPEG file. 16 bits become 8; PictureError for transparency or sides that it cannot hold."""
    if max(frame.width, frame.height) > _LONGEST:
        raise PictureError(
            f"{frame.width}x{frame.height} pixels: JPEG holds {_LONGEST} a side. Try --format png."
        )
    if frame.alpha is not None:
        if frame.alpha.int().min() < TOPS[frame.alpha.dtype]:
            raise PictureError("is transparent in places, which JPEG cannot hold. Try --format png or webp.")
        frame = replace(frame, alpha=None)
    array, icc = contents(frame)
    file = io.BytesIO()
    picture = Image.fromarray(to_8bit(array))
    picture.save(file, "JPEG", quality=quality, subsampling="4:4:4", **metadata(frame, icc))
    return file.getvalue()
