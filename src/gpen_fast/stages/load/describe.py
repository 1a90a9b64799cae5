"""What a file says about its pixels: orientation, EXIF, ICC, XMP, density; checked, so that outputs may carry it."""

from __future__ import annotations

import contextlib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PIL import Image, ImageCms
from torch import Tensor

from gpen_fast.stages.load.content import bits_cut
from gpen_fast.stages.load.deep import is_upright
from gpen_fast.stages.load.memory import from_hwc
from gpen_fast.types import Frame

_ORIENTATION = 0x0112
# A TIFF's own directory also says where its pixels lie, which is wrong in any other file. What describes the
# picture: description, make, model, resolution, software, date, artist, copyright, EXIF and GPS.
_DESCRIPTIVE_TAGS = frozenset({270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432, 34665, 34853})
# What one JPEG segment holds beside its length and name (CIPA DC-008, 4.5.5; XMP part 3, 1.1.3).
_MOST_EXIF, _MOST_XMP = 65533, 65502
# Where an ICC profile states its size and its colour space; a header and a tag count (ICC.1:2022, 7.2, 7.3.1).
_ICC_SIZE, _ICC_SPACE, _LEAST_ICC = slice(0, 4), slice(16, 20), 132
_ICC_CHANNELS = {b"RGB ": 3, b"GRAY": 1}
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:=["']|>))\s*\d+""")
_XMP_THUMBNAIL = re.compile(rb"<(xmpGImg|xapGImg):image>.*?</\1:image>", re.DOTALL)
# Packets that point into other parts of their file: gain maps, motion photos, extended XMP.
_XMP_ELSEWHERE = re.compile(rb"Container:Directory|hdrgm:Version|GCamera:M|HasExtendedXMP")
_SAYS_ORIENTATION = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")


def described(image: Image.Image, pixels: Tensor, data: bytes = b"", notes: Sequence[str] = ()) -> Frame:
    """(H,W,C) pixels turned upright unless decoding has done that, with what the file, `data`, says about them."""
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
    """Applies one of the eight EXIF orientations to (H,W,C) (CIPA DC-008, tag 0x0112)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(0, 1)
    ends = [side for side, those in enumerate(((3, 4, 7, 8), (2, 3, 6, 7))) if orientation in those]
    return pixels.flip(ends) if ends else pixels


def _pages(image: Image.Image) -> str:
    """MPO is JPEG with a preview behind it."""
    count = 1
    with contextlib.suppress(Exception):  # later pages may be torn, and are not read
        count = getattr(image, "n_frames", 1)
    return f"the first of its {count} pages or frames only." if count > 1 and image.format != "MPO" else ""


def _cut_depth(bits: int) -> str:
    return f"its {bits} bits are read as 8." if bits > 8 else ""


def _exif_of(image: Image.Image, notes: list[str]) -> tuple[bytes | None, int]:
    """The EXIF bytes, their orientation reset and thumbnail left out, and the orientation that was there."""
    orientation = 1
    # Pillow would decode a PNG to the end in search of EXIF; what has been read so far is known.
    if image.format == "PNG" and not any(name in image.info for name in _SAYS_ORIENTATION):
        return None, 1
    try:
        exif = image.getexif()
        if image.format == "TIFF":
            for tag in set(exif) - _DESCRIPTIVE_TAGS:
                del exif[tag]
        if not exif:
            return None, 1
        orientation = _as_orientation(exif.get(_ORIENTATION))
        exif[_ORIENTATION] = 1
        data = exif.tobytes()
    except Exception:  # broken EXIF is common and no reason to lose the picture
        notes.append("its EXIF is damaged and left out.")
        return None, orientation
    if len(data) > _MOST_EXIF:
        notes.append(f"its EXIF of {len(data)} bytes is left out: files hold {_MOST_EXIF}.")
        return None, orientation
    return data, orientation


def _as_orientation(value: Any) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _icc_of(image: Image.Image, channels: int, notes: list[str]) -> bytes | None:
    """The profile, if it is sound and describes pixels such as these: CMYK's is of no use to RGB."""
    icc = image.info.get("icc_profile")
    if not icc:
        return None
    size = int.from_bytes(icc[_ICC_SIZE])
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(icc))
        valid = _LEAST_ICC <= size <= len(icc)
    except Exception:
        valid = False
    if not valid:
        notes.append("its colour profile is damaged and left out.")
        return None
    return bytes(icc[:size]) if _ICC_CHANNELS.get(icc[_ICC_SPACE]) == channels else None


def _xmp_of(image: Image.Image, notes: list[str]) -> bytes | None:
    """The XMP packet, its orientation reset and thumbnails left out."""
    xmp = image.info.get("xmp")
    if not xmp:
        return None
    xmp = _XMP_THUMBNAIL.sub(
        b"", _XMP_ORIENTATION.sub(rb"\g<1>1", xmp if isinstance(xmp, bytes) else xmp.encode())
    )
    if _XMP_ELSEWHERE.search(xmp):
        notes.append("its XMP describes parts of the file that are not kept, and is left out.")
        return None
    if len(xmp) > _MOST_XMP:
        notes.append(f"its XMP of {len(xmp)} bytes is left out: files hold {_MOST_XMP}.")
        return None
    return xmp


def _dpi_of(image: Image.Image, *, swapped: bool) -> tuple[float, float] | None:
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        x, y = (float(value) for value in image.info.get("dpi", ()))
        if all(math.isfinite(value) and 1 <= value <= 1e5 for value in (x, y)):
            return (y, x) if swapped else (x, y)
    return None
