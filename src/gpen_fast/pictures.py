"""Pictures in and out without a network, as `Restorer` and `enhance` read and write them."""

from __future__ import annotations

from pathlib import Path

import torch

from gpen_fast.errors import SettingsError
from gpen_fast.files import write_file
from gpen_fast.settings import FAST, MAX_PIXELS, PNG_LEVELS, PngLevel, suffix_of
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame, PictureInput


def load_image(
    source: PictureInput | str, device: str | torch.device = "cpu", *, max_pixels: int = MAX_PIXELS
) -> Frame:
    """Reads a picture: upright, RGB or grey, uint8 or uint16, alpha apart, EXIF, ICC, XMP and density kept.

    Args:
        source: A path; an (H,W,3) RGB uint8 array, also grey, with alpha, or uint16; a (3,H,W) tensor of the same; a
            PIL image.
        device: Where the pixels are wanted.
        max_pixels: A picture that declares more is refused before it is decoded.

    Raises:
        PictureError: The source is not a picture, or is damaged.
        OSError: The file cannot be read.

    >>> frame = load_image("scan.tif")  # doctest: +SKIP
    >>> frame.pixels.shape, frame.pixels.dtype  # doctest: +SKIP
    (torch.Size([3, 4000, 3000]), torch.uint16)
    """
    return load(
        Path(source) if isinstance(source, str) else source, torch.device(device), max_pixels=max_pixels
    )


def save_image(
    image: Frame | PictureInput | str, path: str | Path, *, quality: int = 95, png_level: PngLevel = FAST
) -> None:
    """Writes a picture in the format that `path` ends in: jpg, png or webp.

    The file appears whole or not at all, and carries the frame's EXIF, ICC, XMP and density.

    Args:
        image: A Frame, or what `load_image` takes.
        path: The file to write.
        quality: 1..100, for JPEG and WebP.
        png_level: `fast`, or `small` for a file that is some 4 % smaller and takes far longer.

    Raises:
        PictureError: The format cannot hold the picture.
        SettingsError: `png_level` is not one of these.
        OSError: The file cannot be written.
    """
    frame = image if isinstance(image, Frame) else load_image(image)
    if png_level not in PNG_LEVELS:
        raise SettingsError(f"PNG level {png_level!r}: accepted are {', '.join(PNG_LEVELS)}.")
    write_file(Path(path), open_writer(suffix_of(Path(path))).encode(frame, quality, png_level))
