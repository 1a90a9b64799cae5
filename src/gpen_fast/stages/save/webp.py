"""WebP through Pillow."""

from __future__ import annotations

import io

from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.plugins import FormatFacts
from gpen_fast.settings import FAST
from gpen_fast.stages.save.base import ICC_SPACE, contents, metadata, to_8bit
from gpen_fast.types import Frame

FACTS = FormatFacts(
    suffixes=("webp",), depths=(8,), alpha=True, lossless=False, help="small, 8 bits, with transparency"
)

_LONGEST = 16383


def encode(frame: Frame, quality: int, level: str = FAST) -> bytes:
    """The picture as a WebP file. 16 bits become 8; PictureError over 16383 pixels a side."""
    if max(frame.width, frame.height) > _LONGEST:
        raise PictureError(
            f"{frame.width}x{frame.height} pixels: WebP holds {_LONGEST} a side. Try --format png."
        )
    array, icc = contents(frame)
    if icc and icc[ICC_SPACE] != b"RGB ":  # WebP has no grey
        icc = None
    file = io.BytesIO()
    # exact: what lies under alpha is kept, as it is in PNG. Density has no place in WebP but in EXIF.
    Image.fromarray(to_8bit(array)).save(file, "WEBP", quality=quality, exact=True, **metadata(frame, icc))
    return file.getvalue()
