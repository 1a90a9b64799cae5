"""Decodes the pixels of an opened file as they are stored: (H,W,C) uint8 or uint16.

The decoder of each format was chosen by measurement, on 12 megapixels and one core; all of them give the same pixels.
JPEG: simplejpeg (libjpeg-turbo) takes 0.3 of Pillow's time, and it alone reports data that is damaged in places, which
other decoders fill with grey silently. torchvision.io takes 0.4, and prints libjpeg's complaints to stderr.
WebP: torchvision.io takes 0.4 of Pillow's time.
PNG: torchvision.io takes 0.7 of Pillow's time, but one wrong bit in a file ends the process. So Pillow decodes PNG, and
every other format of 8 bits. It cuts 16-bit colour to 8 bits, so OpenCV decodes that.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gpen_fast.errors import PictureError
from gpen_fast.stages.load.colours import CONVERTED, as_srgb
from gpen_fast.stages.load.content import open_header
from gpen_fast.stages.load.deep import PNG_DEPTH_BYTE, decode_deep, is_deep
from gpen_fast.stages.load.nvjpeg import decode_nvjpeg
from gpen_fast.stages.load.parts import end_of_jpeg
from gpen_fast.stages.load.psd import as_photoshop_shows, read_resources

# Values of torchvision.io.ImageReadMode by Pillow's modes.
READ_MODES = {"L": 1, "RGB": 3, "RGBA": 4}
# How libjpeg begins its complaints about data after which it can go on (jerror.h).
_DAMAGE = re.compile("Corrupt|Premature|Inconsistent|Invalid")


# JPEG's first and last markers, and how many bytes before the end hold the last one in almost every file.
_START, _END, _NEAR_END = b"\xff\xd8", b"\xff\xd9", 32


class _Operators(Protocol):
    """The part of `torch.ops.image` that is used here."""

    def decode_webp(self, encoded: Tensor, mode: int) -> Tensor: ...


def decode_pixels(image: Image.Image, data: bytes, device: torch.device | None, notes: list[str]) -> Tensor:
    """Decodes the first picture in a file.

    Args:
        image: Its header.
        data: The whole file.
        device: Where nvJPEG may decode JPEG; None for the host.
        notes: What the user should know about the file is appended here.

    Returns:
        (H,W,1|2|3|4) uint8 or uint16, as stored: not turned upright. On the host unless nvJPEG decoded it.

    Raises:
        PictureError: The file holds samples of 32 bits, or 16 bits of a kind that is not read.
        Exception: Almost any other for a damaged file.
    """
    if is_deep(image, data):
        return decode_deep(image, data)
    if image.format == "PNG" and image.mode == "L" and isinstance(key := image.info.get("transparency"), int):
        # Pillow spreads grey of 2 and 4 bits over 8, but not the level that is transparent.
        image.info["transparency"] = key * 255 // (2 ** data[PNG_DEPTH_BYTE] - 1)
    if image.format in {"JPEG", "MPO"} and image.mode in {"L", "RGB"}:
        pixels = decode_nvjpeg(data, READ_MODES[image.mode], device) if device is not None else None
        return _by_simplejpeg(image, data, notes) if pixels is None else pixels
    if image.format == "WEBP" and getattr(image, "n_frames", 1) == 1:
        return _by_torchvision(image, data)
    if image.format == "PSD":
        read_resources(image)
        return as_photoshop_shows(from_pillow(image), image, data, notes)
    return from_pillow(image)


def with_end(data: bytes, max_pixels: int, notes: list[str]) -> bytes:
    """A JPEG file that lacks nothing but its end marker, with that marker; any other file as it came.

    Whether only the marker is missing is known from decoding: libjpeg complains if a row of pixels is missing too, and
    the file then fails, as other truncated files do.

    Args:
        data: The whole file.
        max_pixels: The most pixels that it may declare.
        notes: What the user should know of the file is appended here.
    """
    if data[:2] != _START or _END in data[-_NEAR_END:] or end_of_jpeg(data) < len(data):
        return data
    space = {1: "GRAY", 3: "RGB", 4: "CMYK"}
    try:
        with open_header(data, max_pixels) as image:
            simplejpeg.decode_jpeg(data + _END, space[len(image.getbands())])
    except (ValueError, KeyError, PictureError):
        return data
    notes.append("its end marker is missing; all its pixels are there.")
    return data + _END


def from_pillow(image: Image.Image) -> Tensor:
    """The pixels of a PIL image of any mode, (H,W,1|2|3|4) uint8 or uint16.

    Palettes become RGB, CMYK and Lab sRGB through the picture's profile (see `as_srgb`); one bit becomes grey.

    Raises:
        PictureError: The samples have 32 bits.
    """
    if image.mode[0] in "FI" and not image.mode.startswith("I;16"):
        raise PictureError("holds 32-bit samples: accepted are 8 and 16 bits. Convert it first.")
    if image.mode.startswith("I;16"):
        return _from_numpy(np.asarray(image).astype(np.uint16))
    if image.mode in CONVERTED:
        return _from_numpy(np.array(as_srgb(image)))
    colour = "L" if image.mode in {"1", "L", "LA", "La"} else "RGB"
    mode = colour + "A" * image.has_transparency_data
    return _from_numpy(np.array(image if image.mode == mode else image.convert(mode)))


def _by_simplejpeg(image: Image.Image, data: bytes, notes: list[str]) -> Tensor:
    """By libjpeg-turbo; where that complains, by Pillow, which decides whether the file is torn or only damaged."""
    try:
        pixels = simplejpeg.decode_jpeg(data, "GRAY" if image.mode == "L" else "RGB")
    except ValueError as complaint:
        whole = from_pillow(image)
        if _DAMAGE.search(words := str(complaint)):
            notes.append(f"its data is damaged in places ({words.rstrip('.')}).")
        return whole
    return torch.from_numpy(pixels) if pixels.shape[:2] == image.size[::-1] else from_pillow(image)


def _by_torchvision(image: Image.Image, data: bytes) -> Tensor:
    """WebP by torchvision.io; by Pillow where it declines, so that every file that Pillow reads is read."""
    try:
        encoded = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        pixels = _operators().decode_webp(encoded, READ_MODES[image.mode])
    except (RuntimeError, AttributeError, KeyError):
        return from_pillow(image)
    fits = tuple(pixels.shape) == (len(image.getbands()), image.height, image.width)
    return pixels.permute(1, 2, 0) if fits else from_pillow(image)


@cache
def _operators() -> _Operators:
    """torchvision.io's decoders.

    Only their shared library is loaded, within 10 ms: importing the package takes as long as importing torch.
    """
    found = importlib.util.find_spec("torchvision")
    for folder in (found and found.submodule_search_locations) or ():
        for library in sorted(Path(folder).glob("image*.so")):
            torch.ops.load_library(str(library))
            return cast(_Operators, torch.ops.image)
    import torchvision.io  # noqa: F401  registers the operators

    return cast(_Operators, torch.ops.image)


def _from_numpy(array: NDArray[np.uint8 | np.uint16]) -> Tensor:
    """(H,W) or (H,W,C) as an (H,W,C) tensor."""
    return torch.from_numpy(array if array.ndim == 3 else array[:, :, None])
