"""What a writer is. One file beside this one adds a format: it offers `encode`."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpen_fast import plugins
from gpen_fast.errors import PictureError
from gpen_fast.image.convert import to_array
from gpen_fast.settings import FAST
from gpen_fast.types import Frame

# Where an ICC profile names its colour space (ICC.1:2022, 7.2.6).
ICC_SPACE = slice(16, 20)
# ImageWidth and ImageLength; the EXIF directory, and PixelXDimension and PixelYDimension in it (CIPA DC-008).
_IMAGE_SIZE, _EXIF_DETAILS, _PIXEL_SIZE = (256, 257), 34665, (40962, 40963)


class Writer(Protocol):
    """A picture format."""

    def encode(self, frame: Frame, quality: int, level: str = FAST) -> bytes:
        """The picture as a file's bytes, EXIF and ICC carried; PictureError for what the format cannot hold.

        quality: 1 to 100, of formats with losses. level: one of PNG_LEVELS, of PNG.
        """


def open_writer(suffix: str) -> Writer:
    """The writer for a file suffix without its dot."""
    if suffix not in plugins.names("save"):
        raise PictureError(
            f"cannot write {suffix or 'files without a suffix'!r}: accepted are {', '.join(plugins.names('save'))}."
        )
    return plugins.load("save", suffix)


def contents(frame: Frame) -> tuple[NDArray[Any], bytes | None]:
    """The (H,W) or (H,W,C) array to write, in host memory, and the profile that fits it: see `fitting`."""
    lean, icc = fitting(frame)
    return to_array(lean), icc


def fitting(frame: Frame) -> tuple[Frame, bytes | None]:
    """The frame with the channels that are written, and the profile that fits them.

    A colour picture that is grey everywhere is written as one channel, a third of the size, unless its
    profile describes RGB.
    """
    is_rgb = frame.icc is not None and frame.icc[ICC_SPACE] == b"RGB "
    channels = 3 if is_rgb else frame.pixels.shape[0]
    lean = Frame(frame.pixels, frame.alpha, channels)
    fits = frame.icc if is_rgb or ((frame.icc or b"")[ICC_SPACE] == b"GRAY" and channels == 1) else None
    return lean, fits


def metadata(frame: Frame, icc: bytes | None) -> dict[str, Any]:
    """What a file says about its pixels, under the names of Pillow's writers: exif, icc_profile, xmp, dpi."""
    exif = None if frame.exif is None else _with_size(frame.exif, frame.width, frame.height)
    carried = {"exif": exif, "icc_profile": icc, "xmp": frame.xmp, "dpi": frame.dpi}
    return {name: value for name, value in carried.items() if value}


def _with_size(data: bytes, width: int, height: int) -> bytes:
    """EXIF whose statements of the picture's size, where it makes any, are true of this one."""
    exif = Image.Exif()
    exif.load(data)
    details = exif.get_ifd(_EXIF_DETAILS)
    sizes = ((exif, _IMAGE_SIZE), (details, _PIXEL_SIZE))
    stale = [(tags, tag, true) for tags, pair in sizes for tag, true in zip(pair, (width, height), strict=True)
             if tags.get(tag, true) != true]  # fmt: skip
    for tags, tag, true in stale:
        tags[tag] = true
    return exif.tobytes() if stale else data


def to_8bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    """uint16 rounded to uint8, uint8 as it is."""
    return array if array.dtype == np.uint8 else ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
