"""Pictures of 16 bits per sample, by OpenCV and, for PNM, by NumPy: what would be decoded wrongly is refused."""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gpen_fast.errors import PictureError
from gpen_fast.stages.load.content import bits_cut, open_header

Samples = NDArray[np.uint16]

# Where IHDR states the bit depth and the colour type in a PNG file, and the type's bit for colour (PNG, 11.2.1).
PNG_DEPTH_BYTE, _PNG_COLOUR_BYTE, _PNG_COLOUR = 24, 25, 2
# Metadata that may stand behind the pixels of a PNG file.
_LATE = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
# TIFF tags (TIFF 6.0, section 8; SampleFormat: section 19) and values of PhotometricInterpretation and ExtraSamples.
_BITS, _PHOTOMETRIC, _SAMPLES, _EXTRA, _SAMPLE_FORMAT = 258, 262, 277, 338, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_PREMULTIPLIED, _ALPHA = 1, 2
_TOP, _BYTE_TOP = 65535, 255
# Netpbm's header: kind, width, height, largest sample, each behind white space or a comment, and one white space.
_PNM_HEADER = re.compile(rb"P[56]" + 2 * rb"(?:\s|#[^\n]*\n)+\d{1,9}" + rb"(?:\s|#[^\n]*\n)+(\d{1,5})\s")
# Modes of Pillow in which JPEG 2000 of 16 bits comes as 8.
_WIDE_MODES = frozenset({"RGB", "RGBA"})


def is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether a file holds 16 bits per sample. image: its header; data: the whole file."""
    if image.format == "PNG":
        return data[PNG_DEPTH_BYTE] == 16
    if image.format == "TIFF":
        return 16 in np.atleast_1d(_tags(image).get(_BITS, 8))
    if image.format == "PPM":
        return _BYTE_TOP < _pnm_header(data)[0] <= _TOP
    return image.format == "JPEG2000" and image.mode in _WIDE_MODES and bits_cut(image, data) == 16


def decode_deep(image: Image.Image, data: bytes) -> Tensor:
    """Decodes a PNG, TIFF, PNM or JPEG 2000 file of 9 to 16 bits per sample; PNM's are spread over 16.

    Args:
        image: Its header.
        data: The whole file.

    Returns:
        (H,W,1|2|3|4) uint16, grey or RGB, alpha last and not multiplied into the colours.

    Raises:
        PictureError: The file is damaged, or a kind that OpenCV decodes wrongly.
    """
    if image.format == "PNG":
        # libpng prints its complaints about a torn file to stderr. Pillow finds most of those by their checksums first.
        open_header(data, image.width * image.height).verify()
        if any(
            name in data for name in _LATE
        ):  # Pillow reads what stands behind the pixels only after decoding
            image.load()
        array = _by_opencv(data)
        # OpenCV has no grey with alpha: it returns such a file as RGBA.
        if not data[_PNG_COLOUR_BYTE] & _PNG_COLOUR and array.shape[2] == 4:
            array = np.ascontiguousarray(array[:, :, 2:])
        key = image.info.get(
            "transparency"
        )  # the one grey level that is transparent, which OpenCV passes over
        if isinstance(key, int) and array.shape[2] == 1:
            array = np.concatenate([array, np.where(array == key, 0, _TOP).astype(np.uint16)], axis=2)
        return torch.from_numpy(array)
    if image.format == "PPM":
        return torch.from_numpy(_by_numpy(image, data))
    if image.format == "JPEG2000":
        return torch.from_numpy(_by_opencv(data))
    keep, extra = _check_tiff(image)
    array = _by_opencv(data)[:, :, :keep]
    if _tags(image)[_PHOTOMETRIC] == _WHITE_IS_ZERO:
        array = _TOP - array
    return torch.from_numpy(_straight(array) if extra == _PREMULTIPLIED else np.ascontiguousarray(array))


def is_upright(image: Image.Image, data: bytes) -> bool:
    """Whether decoding applies the EXIF orientation: OpenCV does so for TIFF, but not for PNG."""
    return image.format == "TIFF" and is_deep(image, data)


def _tags(image: Image.Image) -> Any:
    """A TIFF's tags by number: Pillow gives them as numbers, fractions, strings or tuples of these."""
    return getattr(image, "tag_v2", {})


def _by_opencv(data: bytes) -> Samples:
    """(H,W,1|3|4) in RGB order."""
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise PictureError("damaged: a 16-bit picture that cannot be decoded.")
    if array.dtype != np.uint16:
        raise PictureError(f"holds {array.dtype} samples beside 16 bits: accepted are 8 and 16 bits.")
    if array.ndim == 2:
        return np.asarray(array[:, :, None], dtype=np.uint16)
    order = cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    return np.asarray(cv2.cvtColor(array, order), dtype=np.uint16)


def _pnm_header(data: bytes) -> tuple[int, int]:
    """The largest sample that a binary PNM of grey or colour declares, and where its samples begin; 0, 0 for others."""
    found = _PNM_HEADER.match(data)
    return (int(found[1]), found.end()) if found else (0, 0)


def _by_numpy(image: Image.Image, data: bytes) -> Samples:
    """(H,W,1|3) of a binary PNM, which Pillow cuts to 8 bits or widens to 32."""
    channels = 3 if image.mode == "RGB" else 1
    top, start = _pnm_header(data)
    samples = np.frombuffer(data, ">u2", image.width * image.height * channels, start).astype(np.uint32)
    scaled = (samples.clip(0, top) * _TOP + top // 2) // top
    return scaled.astype(np.uint16).reshape(image.height, image.width, channels)


def _check_tiff(image: Image.Image) -> tuple[int, int]:
    """Channels to keep, and what the extra one is, 0 for none; PictureError for what OpenCV decodes wrongly."""
    tags = _tags(image)
    samples, photometric = tags.get(_SAMPLES, 1), tags.get(_PHOTOMETRIC)
    colours = 3 if photometric == _RGB else 1
    formats = set(np.atleast_1d(tags.get(_SAMPLE_FORMAT, 1)))
    # A fourth sample without ExtraSamples is alpha: OpenCV writes alpha so.
    extra = int(np.atleast_1d(tags.get(_EXTRA, _ALPHA))[0]) if samples > colours else 0
    known = photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB) and samples in {colours, 4}
    if not known or formats != {1} or set(np.atleast_1d(tags[_BITS])) != {16}:
        raise PictureError(
            f"a 16-bit TIFF of {samples} samples, photometric {photometric}, sample format "
            f"{', '.join(map(str, sorted(formats)))}: accepted are whole numbers in grey, RGB or RGBA. "
            "Convert it first."
        )
    return colours + (extra in (_PREMULTIPLIED, _ALPHA)), extra


def _straight(array: Samples) -> Samples:
    """(H,W,4) with the multiplication of the colours by alpha undone (TIFF 6.0, section 18)."""
    alpha = array[:, :, 3:].astype(np.float64)
    colour = np.divide(
        array[:, :, :3] * float(_TOP), alpha, out=np.zeros(array[:, :, :3].shape), where=alpha > 0
    )
    return np.concatenate([colour.round().clip(0, _TOP).astype(np.uint16), array[:, :, 3:]], axis=2)
