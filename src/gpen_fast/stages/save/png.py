"""PNG: 8 bits through Pillow, 16 bits through OpenCV, since Pillow cannot write 16-bit colour."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.stages.save.base import contents
from gpen_fast.types import Frame

# zlib level 1 costs a fifth of level 6's time and some 5% more bytes on photographs.
_LEVEL = 1
# The signature and the IHDR chunk, which is first in every file.
_AFTER_HEADER = 8 + 25
_EXIF_PREFIX = b"Exif\x00\x00"


def encode(frame: Frame, quality: int) -> bytes:
    """The picture as a PNG file; `quality` has no meaning here."""
    array, icc = contents(frame)
    if array.dtype == np.uint16:
        return _encode_deep(array, frame.exif, icc)
    file = io.BytesIO()
    carried = {key: value for key, value in (("exif", frame.exif), ("icc_profile", icc)) if value}
    Image.fromarray(array).save(file, "PNG", compress_level=_LEVEL, **carried)
    return file.getvalue()


def _encode_deep(array: NDArray[Any], exif: bytes | None, icc: bytes | None) -> bytes:
    if array.ndim == 3:
        if array.shape[2] == 2:  # OpenCV has no grey with alpha
            array = array[:, :, [0, 0, 0, 1]]
        array = array[:, :, [2, 1, 0, 3][: array.shape[2]]]
    done, data = cv2.imencode(".png", np.ascontiguousarray(array), [cv2.IMWRITE_PNG_COMPRESSION, _LEVEL])
    if not done:
        raise PictureError(f"OpenCV cannot encode a 16-bit picture of shape {array.shape} as PNG.")
    return _with_metadata(data.tobytes(), exif, icc)


def _with_metadata(png: bytes, exif: bytes | None, icc: bytes | None) -> bytes:
    """Adds iCCP and eXIf after the header (PNG, third edition, 11.3); OpenCV writes them only from 4.13 on."""
    chunks = b""
    if icc:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if exif:
        chunks += _chunk(b"eXIf", exif.removeprefix(_EXIF_PREFIX))
    return png[:_AFTER_HEADER] + chunks + png[_AFTER_HEADER:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
