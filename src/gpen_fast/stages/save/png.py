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
from gpen_fast.stages.save.base import contents, metadata
from gpen_fast.types import Frame

# zlib level 1 costs a fifth of level 6's time and some 5% more bytes on photographs.
_LEVEL = 1
# The signature and the IHDR chunk, which is first in every file.
_AFTER_HEADER = 8 + 25
_EXIF_PREFIX = b"Exif\x00\x00"
_INCHES_PER_METRE = 1 / 0.0254
_METRE = 1


def encode(frame: Frame, quality: int) -> bytes:
    """The picture as a PNG file; `quality` has no meaning here."""
    array, icc = contents(frame)
    bare = _deep(array) if array.dtype == np.uint16 else _shallow(array)
    return bare[:_AFTER_HEADER] + _chunks(metadata(frame, icc)) + bare[_AFTER_HEADER:]


def _shallow(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", compress_level=_LEVEL)
    return file.getvalue()


def _deep(array: NDArray[Any]) -> bytes:
    if array.ndim == 3:
        if array.shape[2] == 2:  # OpenCV has no grey with alpha
            array = array[:, :, [0, 0, 0, 1]]
        array = array[:, :, [2, 1, 0, 3][: array.shape[2]]]
    done, data = cv2.imencode(".png", np.ascontiguousarray(array), [cv2.IMWRITE_PNG_COMPRESSION, _LEVEL])
    if not done:
        raise PictureError(f"OpenCV cannot encode a 16-bit picture of shape {array.shape} as PNG.")
    return data.tobytes()


def _chunks(carried: dict[str, Any]) -> bytes:
    """What the file says about its pixels, to stand before them (PNG, third edition, 11.3)."""
    chunks = b""
    if icc := carried.get("icc_profile"):
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if dpi := carried.get("dpi"):
        across, down = (round(value * _INCHES_PER_METRE) for value in dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", across, down, _METRE))
    if exif := carried.get("exif"):
        chunks += _chunk(b"eXIf", exif.removeprefix(_EXIF_PREFIX))
    if xmp := carried.get("xmp"):
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    return chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
