"""A restored Frame in the kind of picture that the caller gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from gpen_fast.device.streams import to_host
from gpen_fast.types import Frame


def to_tensor(frame: Frame) -> Tensor:
    """(1|2|3|4,H,W) in host memory: the input's colour channels, and alpha where there is one."""
    pixels = to_host(frame.pixels).expand(frame.channels, -1, -1).contiguous()
    return pixels if frame.alpha is None else torch.cat([pixels, to_host(frame.alpha)])


def to_array(frame: Frame) -> Any:
    """(H,W,3|4), or (H,W) and (H,W,2) for grey; uint8 or uint16, in host memory."""
    array = to_tensor(frame).permute(1, 2, 0).contiguous().numpy()
    return array[:, :, 0] if array.shape[2] == 1 else array


def like(source: object, frame: Frame) -> Any:
    """The frame as a tensor, PIL image or array, as `source` was; a path gives an array."""
    if isinstance(source, Tensor):
        return to_tensor(frame).to(source.device)
    if isinstance(source, Image.Image):
        return Image.fromarray(to_array(frame))
    if isinstance(source, Path | str):
        return to_array(frame)
    array = to_array(frame)
    return array.reshape(*array.shape[:2], -1) if getattr(source, "ndim", 3) == 3 else array
