"""What a file says about its pixels: orientation, EXIF, ICC, XMP, density; checked, so that outputs may carry it."""

from __future__ import annotations

import contextlib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image, ImageCms
from torch import Tensor

from gpen_fast.image.metadata import (
    DESCRIPTIVE_TAGS,
    ICC_CHANNELS,
    ICC_SIZE,
    LEAST_ICC,
    MOST_EXIF,
    MOST_XMP,
    ORIENTATION,
)
from gpen_fast.stages.load.content import bits_cut
from gpen_fast.stages.load.deep import is_upright
from gpen_fast.stages.load.memory import from_hwc
from gpen_fast.types import Frame, icc_space

# The orientation in XMP, as an attribute or as an element, and embedded thumbnails.
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:=["']|>))\s*\d+""")
_XMP_THUMBNAIL = re.compile(rb"<(xmpGImg|xapGImg):image>.*?</\1:image>", re.DOTALL)
# Packets that point into other parts of their file: gain maps, motion photos, extended XMP.
_XMP_ELSEWHERE = re.compile(rb"Container:Directory|hdrgm:Version|GCamera:M|HasExtendedXMP")
# Entries of Pillow's `info` that may state an orientation.
_SAYS_ORIENTATION = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
# Density that is believed, pixels per inch. Files without any often state 0 or 1e9.
_LEAST_DPI, _MOST_DPI = 1, 1e5


def described(image: Image.Image, pixels: Tensor, data: bytes = b"", notes: Sequence[str] = ()) -> Frame:
    """Turns decoded pixels upright and adds what the file says about them.

    Args:
        image: The file's header, or a PIL image that the caller gave.
        pixels: (H,W,C) uint8 or uint16 as decoded.
        data: The whole file; empty for a PIL image.
        notes: Sentences for the user that go into the frame's note.
    """
    notes = [_pages(image), _cut_depth(bits_cut(image, data)), *notes]
    exif, orientation = _exif_of(image, notes)
    xmp = _xmp_of(image, notes)
    frame = from_hwc(pixels if is_upright(image, data) else turned(pixels, orientation))
    return replace(
        frame,
        exif=exif,
        icc=_icc_of(image, frame.channels, notes),
        xmp=xmp,
        dpi=_dpi_of(image, swapped=orientation >= 5),
        kind=image.format or "",
        note=" ".join(filter(None, notes)),
    )


def turned(pixels: Tensor, orientation: int) -> Tensor:
    """Turns (H,W,C) upright: a view. orientation: 1..8, EXIF's (CIPA DC-008, tag 0x0112)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(0, 1)
    ends = [side for side, those in enumerate(((3, 4, 7, 8), (2, 3, 6, 7))) if orientation in those]
    return pixels.flip(ends) if ends else pixels


def _pages(image: Image.Image) -> str:
    """A note where a file has more pages or frames than the one that is read; MPO is JPEG with a preview behind it."""
    count = 1
    with contextlib.suppress(Exception):  # Pillow may raise anything for later pages, which are not read
        count = getattr(image, "n_frames", 1)
    return f"the first of its {count} pages or frames only." if count > 1 and image.format != "MPO" else ""


def _cut_depth(bits: int) -> str:
    """A note where samples lose bits."""
    return f"its {bits} bits are read as 8." if bits > 8 else ""


def _exif_of(image: Image.Image, notes: list[str]) -> tuple[bytes | None, int]:
    """The EXIF bytes, upright and without thumbnail, and the orientation that they stated, 1..8."""
    orientation = 1
    # Pillow decodes a PNG to its end in search of EXIF. What it has read so far is in `info`.
    if image.format == "PNG" and not any(name in image.info for name in _SAYS_ORIENTATION):
        return None, 1
    try:
        exif = image.getexif()
        if image.format == "TIFF":
            for tag in set(exif) - DESCRIPTIVE_TAGS:
                del exif[tag]
        if not exif:
            return None, 1
        orientation = _as_orientation(exif.get(ORIENTATION))
        exif[ORIENTATION] = 1
        data = exif.tobytes()
    except Exception:  # Pillow raises almost any exception for damaged EXIF, which must not cost the picture
        notes.append("its EXIF is damaged and left out.")
        return None, orientation
    if len(data) > MOST_EXIF:
        notes.append(f"its EXIF of {len(data)} bytes is left out: files hold {MOST_EXIF}.")
        return None, orientation
    return data, orientation


def _as_orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _icc_of(image: Image.Image, channels: int, notes: list[str]) -> bytes | None:
    """The ICC profile if it is valid and describes that many channels: a profile of CMYK does not describe RGB."""
    icc = image.info.get("icc_profile")
    if not icc:
        return None
    size = int.from_bytes(icc[ICC_SIZE])
    if not LEAST_ICC <= size <= len(icc) or not _opens(icc):
        notes.append("its colour profile is damaged and left out.")
        return None
    return bytes(icc[:size]) if ICC_CHANNELS.get(icc_space(icc)) == channels else None


def _opens(icc: bytes) -> bool:
    """Whether LittleCMS reads the profile."""
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return False
    return True


def _xmp_of(image: Image.Image, notes: list[str]) -> bytes | None:
    """The XMP packet, upright and without thumbnails."""
    xmp = image.info.get("xmp")
    if not xmp:
        return None
    xmp = _XMP_THUMBNAIL.sub(
        b"", _XMP_ORIENTATION.sub(rb"\g<1>1", xmp if isinstance(xmp, bytes) else xmp.encode())
    )
    if _XMP_ELSEWHERE.search(xmp):
        notes.append("its XMP describes parts of the file that are not kept, and is left out.")
        return None
    if len(xmp) > MOST_XMP:
        notes.append(f"its XMP of {len(xmp)} bytes is left out: files hold {MOST_XMP}.")
        return None
    return xmp


def _dpi_of(image: Image.Image, *, swapped: bool) -> tuple[float, float] | None:
    """Pixels per inch across and down; None where the file states none that can be believed."""
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        x, y = (float(value) for value in image.info.get("dpi", ()))
        if all(math.isfinite(value) and _LEAST_DPI <= value <= _MOST_DPI for value in (x, y)):
            return (y, x) if swapped else (x, y)
    return None
