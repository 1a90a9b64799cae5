"""TIFF: 8 and 16 bits, deflated without loss, with every kind of metadata that it holds.

The file is one directory and its strips. Pillow's writer has no 16-bit colour and no text beyond ASCII; tifffile cannot
write an EXIF directory; libvips is a process-wide runtime of 40 MB. `image.directory`, which reads EXIF too, writes the
directory, and zlib-ng packs the strips.
"""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from gpen_fast.errors import PictureError
from gpen_fast.image.blocks import PHOTOSHOP_TAG
from gpen_fast.image.directory import (
    SHORT,
    UNDEFINED,
    TagEntry,
    TagTree,
    number_entry,
    swapped_values,
    tree_bytes,
)
from gpen_fast.image.exif import exif_of_size, tree_of_exif
from gpen_fast.image.metadata import DESCRIPTIVE_TAGS
from gpen_fast.plugins import FormatFacts
from gpen_fast.settings import FAST
from gpen_fast.stages.save.base import array_as_written
from gpen_fast.stages.save.carry import blocks_held
from gpen_fast.types import Frame

FACTS = FormatFacts(
    suffixes=("tif", "tiff"),
    depths=(8, 16),
    alpha=True,
    lossless=True,
    help="lossless, for archives; deflated",
)

# Tags (TIFF 6.0; ICC.1:2022, B.4; XMP part 3, 3.2.3) and their values.
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _ORIENTATION = 256, 257, 258, 259, 262, 273, 274
_SAMPLES, _ROWS, _BYTES, _X_RESOLUTION, _Y_RESOLUTION, _PLANES, _UNIT = 277, 278, 279, 282, 283, 284, 296
_PREDICTOR, _EXTRA, _XMP, _ICC = 317, 338, 700, 34675
_DEFLATE, _BLACK_IS_ZERO, _RGB, _INTERLEAVED, _INCH, _HORIZONTAL, _STRAIGHT_ALPHA = 8, 1, 2, 1, 2, 2, 2
_BYTE, _RATIONAL = 1, 5
# Bytes of pixels in a strip, and zlib's level: higher ones take far longer for a few bytes.
_STRIP, _EFFORT = 1 << 18, 6
_MOST_BYTES = 2**32 - 2**26
_MOST_DENOMINATOR = 10_000


def encode(frame: Frame, quality: int, level: str = FAST) -> bytes:
    """Encodes a picture as TIFF, in the byte order of its EXIF.

    Args:
        frame: The picture.
        quality: Ignored: the file is lossless.
        level: Ignored.

    Raises:
        PictureError: The pixels have 4 GiB, which a TIFF's offsets do not reach.
    """
    array, icc = array_as_written(frame)
    if array.nbytes > _MOST_BYTES:
        raise PictureError(f"{array.nbytes / 2**30:.1f} GiB of pixels: TIFF holds 4. Try --format png.")
    exif = exif_of_size(frame.exif, frame.width, frame.height) if frame.exif else None
    tree, order = tree_of_exif(exif)
    array = array.reshape(*array.shape[:2], -1)
    rows = max(1, _STRIP // (array.shape[1] * array.shape[2] * array.itemsize))
    strips = [_packed(array[at : at + rows], order) for at in range(0, len(array), rows)]
    start = 8 + sum(map(len, strips))
    offsets = np.cumsum([8, *map(len, strips)])[:-1].tolist()
    entries = [
        *(entry for entry in tree.entries if entry.tag in DESCRIPTIVE_TAGS),
        *_layout(array, frame, order),
        number_entry(_OFFSETS, order, *offsets),
        number_entry(_BYTES, order, *map(len, strips)),
        number_entry(_ROWS, order, rows),
        *_carried(frame, icc, order),
    ]
    merged = {entry.tag: entry for entry in entries}
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, start)
    directory = tree_bytes(TagTree(list(merged.values()), tree.branches), start, order)
    return b"".join((head, *strips, directory))


def _packed(rows: NDArray[np.uint8 | np.uint16], order: str) -> bytes:
    """(h,W,C) as a strip of even length: each sample less its left neighbour (TIFF 6.0, section 14), deflated."""
    steps = rows.copy()
    steps[:, 1:] -= rows[:, :-1]
    data = zlib_ng.compress((steps if order == "<" else steps.byteswap()).tobytes(), _EFFORT)
    return data + b"\0" * (len(data) % 2)


def _layout(array: NDArray[np.uint8 | np.uint16], frame: Frame, order: str) -> list[TagEntry]:
    """The tags that say how the pixels lie."""
    height, width, samples = array.shape
    shorts = {
        _BITS: (8 * array.itemsize,) * samples,
        _COMPRESSION: (_DEFLATE,),
        _PHOTOMETRIC: (_RGB if frame.channels == 3 else _BLACK_IS_ZERO,),
        _ORIENTATION: (1,),
        _SAMPLES: (samples,),
        _PLANES: (_INTERLEAVED,),
        _PREDICTOR: (_HORIZONTAL,),
    }
    if frame.alpha is not None:
        shorts[_EXTRA] = (_STRAIGHT_ALPHA,)
    sizes = [number_entry(_WIDTH, order, width), number_entry(_LENGTH, order, height)]
    return sizes + [number_entry(tag, order, *values, kind=SHORT) for tag, values in shorts.items()]


def _carried(frame: Frame, icc: bytes | None, order: str) -> list[TagEntry]:
    """Density, profile, XMP, and the tags that came with a TIFF."""
    made = []
    for block in blocks_held(frame, "tif"):
        if block.holder == "photoshop":
            made.append(TagEntry(PHOTOSHOP_TAG, _BYTE, block.data))
        else:
            made.append(TagEntry(int(block.name), *_in_order(block.data, order)))
    if icc:
        made.append(TagEntry(_ICC, UNDEFINED, icc))
    if frame.xmp:
        made.append(TagEntry(_XMP, _BYTE, frame.xmp))
    if frame.dpi:
        made.append(number_entry(_UNIT, order, _INCH, kind=SHORT))
        for tag, value in zip((_X_RESOLUTION, _Y_RESOLUTION), frame.dpi, strict=True):
            ratio = Fraction(value).limit_denominator(_MOST_DENOMINATOR)
            made.append(
                TagEntry(tag, _RATIONAL, struct.pack(order + "II", ratio.numerator, ratio.denominator))
            )
    return made


def _in_order(data: bytes, order: str) -> tuple[int, bytes]:
    """The type and the values of a block that came with a TIFF, in the file's byte order."""
    kind, values = int.from_bytes(data[:2], "little"), data[2:]
    return kind, values if order == "<" else swapped_values(kind, values)
