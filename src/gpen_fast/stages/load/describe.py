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

from gpen_fast.image.directory import TagFile, tag_tree
from gpen_fast.image.exif import ORIENTATION, exif_of_tree, upright_exif, upright_tree
from gpen_fast.image.metadata import (
    DESCRIPTIVE_TAGS,
    ICC_CHANNELS,
    ICC_SIZE,
    LEAST_ICC,
    MOST_EXIF,
    MOST_XMP,
)
from gpen_fast.stages.load.colours import CONVERTED, conversion_note
from gpen_fast.stages.load.content import bits_cut
from gpen_fast.stages.load.deep import is_deep, is_upright
from gpen_fast.stages.load.memory import from_hwc
from gpen_fast.stages.load.parts import parts_of
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
    said, unkept = _further_pictures(image)
    notes = [
        said,
        conversion_note(image),
        _cut_depth(0 if data and is_deep(image, data) else bits_cut(image, data)),
        *notes,
    ]
    parts = parts_of(data)
    if image.format != "MPO":  # there, what lies behind the first picture are the further ones
        unkept += parts.unkept
        notes += [f"left out: {what}." for what in parts.unkept]
    if image.mode in CONVERTED:
        unkept.append(f"{CONVERTED[image.mode]} colours")
    exif, orientation = _exif_of(image, data, notes, unkept)
    xmp = _xmp_of(image, notes, unkept)
    frame = from_hwc(pixels if is_upright(image, data) else turned(pixels, orientation))
    return replace(
        frame,
        exif=exif,
        icc=_icc_of(image, frame.channels, notes),
        xmp=xmp,
        dpi=_dpi_of(image, swapped=orientation >= 5),
        kind=image.format or "",
        note=" ".join(filter(None, notes)),
        blocks=tuple(parts.blocks),
        unkept=" and ".join(unkept),
        lossless=parts.lossless,
    )


def turned(pixels: Tensor, orientation: int) -> Tensor:
    """Turns (H,W,C) upright: a view. orientation: 1..8, EXIF's (CIPA DC-008, tag 0x0112)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(0, 1)
    ends = [side for side, those in enumerate(((3, 4, 7, 8), (2, 3, 6, 7))) if orientation in those]
    return pixels.flip(ends) if ends else pixels


def _further_pictures(image: Image.Image) -> tuple[str, list[str]]:
    """A note where a file has more pages, frames or pictures than the one that is read, and what they are."""
    count = 1
    with contextlib.suppress(Exception):  # Pillow may raise anything for later pages, which are not read
        count = getattr(image, "n_frames", 1)
    if count <= 1:
        return "", []
    if image.format == "MPO":
        return "left out: further pictures in its file, such as a gain map.", ["further pictures"]
    if image.format == "PSD":
        return f"the merged picture of its {count} layers only.", [f"{count} layers"]
    what = f"{count} pages" if image.format == "TIFF" else f"an animation of {count} frames"
    return f"the first of its {count} pages or frames only.", [what]


def _cut_depth(bits: int) -> str:
    """A note where samples lose bits."""
    return f"its {bits} bits are read as 8." if bits > 8 else ""


def _exif_of(
    image: Image.Image, file: bytes, notes: list[str], unkept: list[str]
) -> tuple[bytes | None, int]:
    """The EXIF bytes, upright and without thumbnail, and the orientation that they stated, 1..8."""
    orientation = 1
    # Pillow decodes a PNG to its end in search of EXIF. What it has read so far is in `info`.
    if image.format == "PNG" and not any(name in image.info for name in _SAYS_ORIENTATION):
        return None, 1
    try:
        exif = image.getexif()
        orientation = _as_orientation(exif.get(ORIENTATION))
        data = _exif_bytes(image, exif, file)
        if not data:
            return None, orientation
    except Exception:  # Pillow raises almost any exception for damaged EXIF, which must not cost the picture
        notes.append("its EXIF is damaged and left out.")
        return None, orientation
    if len(data) > MOST_EXIF:
        notes.append(f"its EXIF of {len(data)} bytes is left out: files hold {MOST_EXIF}.")
        unkept.append("EXIF that is too long")
        return None, orientation
    return data, orientation


def _exif_bytes(image: Image.Image, exif: Image.Exif, file: bytes) -> bytes:
    """The file's EXIF with its orientation reset; without a file, or if EXIF is stored as text, what Pillow holds."""
    stored = image.info.get("exif")
    if image.format == "TIFF" and not stored:
        tags = TagFile.of(file)
        tree = upright_tree(tag_tree(tags, tags.first), tags.order, DESCRIPTIVE_TAGS)
        return exif_of_tree(tree, tags.order) if tree.entries or tree.branches else b""
    if isinstance(stored, bytes) and stored and file:
        return upright_exif(stored)
    if not exif:
        return b""
    exif[ORIENTATION] = 1
    return exif.tobytes()


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


def _xmp_of(image: Image.Image, notes: list[str], unkept: list[str]) -> bytes | None:
    """The XMP packet, upright and without thumbnails."""
    xmp = image.info.get("xmp")
    if not xmp:
        return None
    xmp = _XMP_THUMBNAIL.sub(
        b"", _XMP_ORIENTATION.sub(rb"\g<1>1", xmp if isinstance(xmp, bytes) else xmp.encode())
    )
    if _XMP_ELSEWHERE.search(xmp):
        notes.append("its XMP describes parts of the file that are not kept, and is left out.")
        unkept.append("XMP on parts that are not kept")
        return None
    if len(xmp) > MOST_XMP:
        notes.append(f"its XMP of {len(xmp)} bytes is left out: files hold {MOST_XMP}.")
        unkept.append("XMP that is too long")
        return None
    return xmp


def _dpi_of(image: Image.Image, *, swapped: bool) -> tuple[float, float] | None:
    """Pixels per inch across and down; None where the file states none that can be believed."""
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        x, y = (float(value) for value in image.info.get("dpi", ()))
        if all(math.isfinite(value) and _LEAST_DPI <= value <= _MOST_DPI for value in (x, y)):
            return (y, x) if swapped else (x, y)
    return None
