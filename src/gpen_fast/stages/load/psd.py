"""PSD files: the merged picture as Photoshop shows it, and what its image resources say.

Pillow decodes the merged picture and reads its ICC profile. It takes any fourth channel for transparency, and leaves
the white in the colours that Photoshop mixes in under transparency (Photoshop file formats, "Image Data" and "Layer
info").
"""

from __future__ import annotations

import struct

import torch
from PIL import Image
from torch import Tensor

from gpen_fast.errors import PictureError

# Image resources: density, EXIF, whether a merged picture is there, XMP.
_RESOLUTION, _EXIF, _VERSION, _XMP = 1005, 1058, 1057, 1060
# Density is stored with 16 bits behind the point (Photoshop file formats, "ResolutionInfo").
_FIXED = 65536
# Where the file states its version and its channels, and where the first section begins.
_CHANNELS_AT, _SECTIONS_AT = 12, 26
_WHITE = 255
# Rows that are computed in float64 at a time: the whole of a large picture would need eight times its memory.
_ROWS = 256


def read_resources(image: Image.Image) -> None:
    """Adds to a PSD's `info` the EXIF, XMP and density of its image resources, as Pillow has them for other files.

    Raises:
        PictureError: The file was saved without its merged picture: Pillow would read a white one.
    """
    for number, _, data in getattr(image, "resources", ()):
        if number == _VERSION and data[4:5] == b"\0":
            raise PictureError(
                "a PSD without its merged picture. Save it again with Photoshop's Maximize Compatibility, or as TIFF."
            )
        if number == _EXIF:
            image.info["exif"] = data
        elif number == _XMP:
            image.info["xmp"] = data
        elif number == _RESOLUTION and len(data) >= 12:
            across, down = struct.unpack_from(">I4xI", data)
            image.info["dpi"] = (across / _FIXED, down / _FIXED)


def as_photoshop_shows(pixels: Tensor, image: Image.Image, data: bytes, notes: list[str]) -> Tensor:
    """The merged picture with its own transparency.

    Args:
        pixels: (H,W,1|3|4) uint8, as Pillow decodes it.
        image: The header.
        data: The whole file.
        notes: What the user should know of the file is appended here.

    Returns:
        (H,W,1|3|4) uint8; alpha only where the file states that its picture is transparent, and straight.
    """
    (channels,) = struct.unpack_from(">H", data, _CHANNELS_AT)
    transparent = _layers(data) < 0
    if image.mode != "RGBA":
        if transparent and channels > len(image.getbands()):
            notes.append("its transparency is left out: the picture stands on white.")
        return pixels
    if transparent:
        return _without_white(pixels)
    notes.append("left out: its fourth channel, a saved selection.")
    return pixels[:, :, :3].contiguous()


def _layers(data: bytes) -> int:
    """The number of layers; below zero where the first channel behind the colours is the picture's transparency."""
    at = _SECTIONS_AT
    for _ in range(2):  # the palette and the image resources
        at += 4 + int(struct.unpack_from(">I", data, at)[0])
    section, layers = struct.unpack_from(">II", data, at)
    return int(struct.unpack_from(">h", data, at + 8)[0]) if section and layers else 0


def _without_white(pixels: Tensor) -> Tensor:
    """(H,W,4) with the white taken out of the colours: c = a * x + (1 - a) * white, solved for x."""
    straight = pixels.clone()
    for start in range(0, len(pixels), _ROWS):
        rows = pixels[start : start + _ROWS].double()
        alpha = rows[:, :, 3:]
        mixed = (rows[:, :, :3] + alpha - _WHITE) * _WHITE / alpha.clamp(min=1)
        colours = mixed.round().clamp(0, _WHITE).masked_fill(alpha == 0, _WHITE)
        straight[start : start + _ROWS, :, :3] = colours.to(torch.uint8)
    return straight
