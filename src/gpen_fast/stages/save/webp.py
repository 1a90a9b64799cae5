"""WebP through Pillow: lossy, but a lossless picture stays so."""

from __future__ import annotations

import io

from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.image.colour import to_8bit
from gpen_fast.image.profiles import grey_as_srgb
from gpen_fast.plugins import FormatFacts
from gpen_fast.settings import FAST
from gpen_fast.stages.save.base import array_as_written, carried_metadata
from gpen_fast.types import ICC_GREY, Frame, icc_space

FACTS = FormatFacts(
    suffixes=("webp",),
    depths=(8,),
    alpha=True,
    lossless=False,
    most_side=16383,
    help="small, 8 bits, with transparency",
)

# Pixels a side: 14 bits in the file's header.
_MOST_SIDE = FACTS.most_side or 0
# 0..100: libwebp's default for lossless files.
_LOSSLESS_EFFORT = 75


def encode(frame: Frame, quality: int, level: str = FAST) -> bytes:
    """Encodes a picture as WebP; 16 bits become 8. Density is lost unless EXIF states it: WebP has no field for it.

    Args:
        frame: The picture.
        quality: 1..100.
        level: Ignored.

    Raises:
        PictureError: A side is longer than 16383 pixels.
    """
    if max(frame.width, frame.height) > _MOST_SIDE:
        raise PictureError(
            f"{frame.width}x{frame.height} pixels: WebP holds {_MOST_SIDE} a side. Try --format png."
        )
    array, icc = array_as_written(frame)
    picture = Image.fromarray(to_8bit(array))
    if (
        icc_space(icc) == ICC_GREY
    ):  # WebP stores grey pictures as RGB, which a profile of grey does not describe
        picture, icc = grey_as_srgb(picture, icc), None
    file = io.BytesIO()
    # exact keeps the colours of fully transparent pixels, as PNG does. A lossless picture stays so; its quality is then
    # the effort to make it small.
    quality = _LOSSLESS_EFFORT if frame.lossless else quality
    picture.save(
        file, "WEBP", quality=quality, lossless=frame.lossless, exact=True, **carried_metadata(frame, icc)
    )
    return file.getvalue()
