"""The mark in pictures that were restored in place, so that a second run does not restore them again."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from gpen_fast import __version__
from gpen_fast.image.exif import PROCESSING_SOFTWARE, exif_with_text

_MARK = b"gpen-fast"


def marked(exif: bytes | None) -> bytes:
    """Adds the mark to EXIF bytes, or makes EXIF that holds only the mark.

    The mark is the tag ProcessingSoftware: the camera's own Software tag stays.
    """
    return exif_with_text(exif, PROCESSING_SOFTWARE, f"{_MARK.decode()} {__version__}")


def is_marked(path: Path) -> bool:
    """Whether a picture bears the mark; False for a file that cannot be read, which loading reports with its cause."""
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP", "TIFF")) as image:
            if image.format == "TIFF":
                return _MARK.decode() in str(image.getexif().get(PROCESSING_SOFTWARE))
            return _MARK in image.info.get("exif", b"")
    except Exception:  # Pillow raises almost any exception for a damaged file
        return False
