"""A restored Frame as the kind of picture that the caller gave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gpen_fast.device.streams import to_host
from gpen_fast.image.exif import exif_of_size
from gpen_fast.types import Frame


def to_tensor(frame: Frame) -> Tensor:
    """The frame as (1|2|3|4,H,W) uint8 or uint16 in host memory: the input's colour channels, then alpha if any."""
    pixels = to_host(frame.pixels).expand(frame.channels, -1, -1).contiguous()
    return pixels if frame.alpha is None else torch.cat([pixels, to_host(frame.alpha)])


def to_array(frame: Frame) -> NDArray[np.uint8 | np.uint16]:
    """The frame as (H,W) grey, (H,W,2) grey with alpha, or (H,W,3|4) RGB(A); uint8 or uint16, in host memory."""
    array: NDArray[np.uint8 | np.uint16] = to_tensor(frame).permute(1, 2, 0).contiguous().numpy()
    return array[:, :, 0] if array.shape[2] == 1 else array


def like(source: object, frame: Frame) -> Tensor | Image.Image | Frame | NDArray[np.uint8 | np.uint16]:
    """The frame as the kind of picture that `source` is.

    Args:
        source: What the caller gave: a tensor, a PIL image, a Frame, an array or a path.
        frame: The picture to return.

    Returns:
        A tensor or a Frame on the device of `source`, a PIL image with its metadata, or an array with as many axes as
        `source` has. A path gives an array.
    """
    if isinstance(source, Tensor):
        return to_tensor(frame).to(source.device)
    if isinstance(source, Image.Image):
        return to_pillow(frame)
    if isinstance(source, Frame):
        device, alpha = source.pixels.device, frame.alpha
        return replace(
            frame,
            pixels=frame.pixels.to(device),
            alpha=None if alpha is None else alpha.to(device),
            host=None if device.type == "cpu" else frame.host,
        )
    array = to_array(frame)
    if isinstance(source, Path | str):
        return array
    return array.reshape(*array.shape[:2], -1) if getattr(source, "ndim", 3) == 3 else array


def to_pillow(frame: Frame) -> Image.Image:
    """The frame as a PIL image; its `info` has the EXIF, ICC profile, XMP and density under Pillow's names."""
    image = Image.fromarray(to_array(frame))
    exif = exif_of_size(frame.exif, frame.width, frame.height) if frame.exif else None
    carried = {"icc_profile": frame.icc, "exif": exif, "xmp": frame.xmp, "dpi": frame.dpi}
    image.info.update({name: value for name, value in carried.items() if value is not None})
    return image
