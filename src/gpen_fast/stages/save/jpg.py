"""JPEG through Pillow, without chroma subsampling, which blurs the colours of small faces most."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.image.colour import to_8bit
from gpen_fast.plugins import FormatFacts
from gpen_fast.settings import FAST
from gpen_fast.stages.save.base import array_as_written, carried_metadata
from gpen_fast.stages.save.carry import jpeg_segments
from gpen_fast.types import TOPS, Frame

FACTS = FormatFacts(
    suffixes=("jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp"),
    depths=(8,),
    alpha=False,
    lossless=False,
    most_side=65500,
    help="small, 8 bits, opaque",
)

# libjpeg accepts this many pixels a side (JPEG_MAX_DIMENSION); the format's 16 bits would hold 65535.
_MOST_SIDE = FACTS.most_side or 0


def encode(frame: Frame, quality: int, level: str = FAST) -> bytes:
    """Encodes a picture as JPEG; 16 bits become 8.

    Args:
        frame: The picture.
        quality: 1..100.
        level: Ignored.

    Raises:
        PictureError: The picture is transparent somewhere, or a side is longer than 65500 pixels.
    """
    if max(frame.width, frame.height) > _MOST_SIDE:
        raise PictureError(
            f"{frame.width}x{frame.height} pixels: JPEG holds {_MOST_SIDE} a side. Try --format png."
        )
    if frame.alpha is not None:
        if frame.alpha.int().min() < TOPS[frame.alpha.dtype]:
            raise PictureError("is transparent in places, which JPEG cannot hold. Try --format png or webp.")
        frame = replace(frame, alpha=None)
    array, icc = array_as_written(frame)
    file = io.BytesIO()
    picture = Image.fromarray(to_8bit(array))
    further = jpeg_segments(frame)
    picture.save(
        file, "JPEG", quality=quality, subsampling="4:4:4", extra=further, **carried_metadata(frame, icc)
    )
    return file.getvalue()
