"""Pictures in and out without a network, as `Restorer` and `enhance` read and write them."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from gpen_fast.device.fork import ready_after_fork
from gpen_fast.run.restoration import write_frame
from gpen_fast.settings import FAST, MAX_PIXELS, PngLevel
from gpen_fast.stages.load import load
from gpen_fast.types import AnyPicture, Frame, as_picture


def load_image(
    source: AnyPicture, device: str | torch.device = "cpu", *, max_pixels: int = MAX_PIXELS
) -> Frame:
    """Reads a picture: upright, RGB or grey, uint8 or uint16, alpha apart, EXIF, ICC, XMP and density kept.

    Args:
        source: A path, also any os.PathLike; an (H,W,3) RGB uint8 array, also grey, with alpha, or uint16; a (3,H,W)
            tensor of the same; a PIL image; a Frame.
        device: Where the pixels are wanted.
        max_pixels: A picture that declares more is refused before it is decoded.

    Raises:
        PictureError: The source is not a picture, or is damaged.
        OSError: The file cannot be read.
        DeviceError: The process was forked while its parent was restoring.

    >>> frame = load_image("scan.tif")  # doctest: +SKIP
    >>> frame.pixels.shape, frame.pixels.dtype  # doctest: +SKIP
    (torch.Size([3, 4000, 3000]), torch.uint16)
    """
    ready_after_fork()
    return load(as_picture(source), torch.device(device), max_pixels=max_pixels)


def save_image(
    image: AnyPicture,
    path: str | os.PathLike[str],
    *,
    quality: int = 95,
    png_level: PngLevel = FAST,
) -> None:
    """Writes a picture in the format that `path` ends in: jpg, png, tif or webp.

    The file appears whole or not at all, and carries the frame's EXIF, ICC, XMP and density.

    Args:
        image: A Frame, or what else `load_image` takes.
        path: The file to write.
        quality: 1..100, for JPEG and WebP.
        png_level: `fast`, or `small` for a file that is some 4 % smaller and takes far longer.

    Raises:
        PictureError: The format cannot hold the picture.
        SettingsError: `png_level` is not one of these.
        OSError: The file cannot be written.
        DeviceError: The process was forked while its parent was restoring.
    """
    ready_after_fork()
    frame = image if isinstance(image, Frame) else load_image(image)
    write_frame(frame, Path(path), quality=quality, png_level=png_level)
