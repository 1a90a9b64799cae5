"""Pictures in and out without a network: what `Restorer` and `enhance` read and write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from gpen_fast.errors import SettingsError
from gpen_fast.files import write_file
from gpen_fast.settings import FAST, MAX_PIXELS, PNG_LEVELS, suffix_of
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame


def load_image(source: Any, device: str | torch.device = "cpu", *, max_pixels: int = MAX_PIXELS) -> Frame:
    """A picture as a Frame: upright, RGB or grey, uint8 or uint16, alpha apart, EXIF, ICC, XMP and density kept.

    source: a path; an (H,W,3) RGB uint8 array, also grey, with alpha, or uint16; a (3,H,W) tensor of the same; a
    PIL image. max_pixels: what declares more is refused before it is decoded.
    Raises PictureError for what is no picture or damaged, OSError for what cannot be read.

    >>> frame = load_image("scan.tif")  # doctest: +SKIP
    >>> frame.pixels.shape, frame.pixels.dtype  # doctest: +SKIP
    (torch.Size([3, 4000, 3000]), torch.uint16)
    """
    return load(
        Path(source) if isinstance(source, str) else source, torch.device(device), max_pixels=max_pixels
    )


def save_image(image: Any, path: str | Path, *, quality: int = 95, png_level: str = FAST) -> None:
    """Writes a Frame, or what `load_image` takes, in the format that `path` ends in: jpg, png or webp.

    The file appears whole or not at all, and carries the frame's EXIF, ICC, XMP and density. quality: 1..100, of
    JPEG and WebP. png_level: `fast`, or `small` for some 4 % less in far more time.
    Raises PictureError for what the format cannot hold, OSError for what cannot be written.
    """
    frame = image if isinstance(image, Frame) else load_image(image)
    if png_level not in PNG_LEVELS:
        raise SettingsError(f"PNG level {png_level!r}: accepted are {', '.join(PNG_LEVELS)}.")
    write_file(Path(path), open_writer(suffix_of(Path(path))).encode(frame, quality, png_level))
