"""The mark of pictures that were restored in place: without it a second run would restore them again."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from gpen_fast import __version__

# Exif's ProcessingSoftware: what worked on the picture after the camera's own Software.
_TAG = 0x000B
_MARK = b"gpen-fast"


def marked(exif: bytes | None) -> bytes:
    """The EXIF bytes, or new ones, with the mark."""
    made = Image.Exif()
    if exif:
        made.load(exif)
    made[_TAG] = f"{_MARK.decode()} {__version__}"
    return made.tobytes()


def is_marked(path: Path) -> bool:
    """Whether a picture bears the mark; no for what cannot be read, which is named when it is loaded."""
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as image:
            return _MARK in image.info.get("exif", b"")
    except Exception:
        return False
