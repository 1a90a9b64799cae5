"""PNG: 8 bits through Pillow, 16 bits through OpenCV, since Pillow cannot write 16-bit colour."""

from __future__ import annotations

import io
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
    done, data = _imencode(np.ascontiguousarray(array), exif, icc)
    if not done:
        raise PictureError(f"OpenCV cannot encode a 16-bit picture of shape {array.shape} as PNG.")
    return bytes(data)


def _imencode(array: NDArray[Any], exif: bytes | None, icc: bytes | None) -> tuple[bool, NDArray[np.uint8]]:
    params = [cv2.IMWRITE_PNG_COMPRESSION, _LEVEL]
    kinds, values = [], []
    for kind, value in (("EXIF", (exif or b"").removeprefix(_EXIF_PREFIX)), ("ICCP", icc)):
        # OpenCV before 4.13 lacks some of these.
        if value and hasattr(cv2, f"IMAGE_METADATA_{kind}"):
            kinds.append(getattr(cv2, f"IMAGE_METADATA_{kind}"))
            values.append(np.frombuffer(value, np.uint8))
    if kinds:
        return cv2.imencodeWithMetadata(".png", array, kinds, values, params)
    return cv2.imencode(".png", array, params)
