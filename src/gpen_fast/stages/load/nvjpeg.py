"""JPEG by nvJPEG, through torchvision.io: (H,W,C) on a CUDA device."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.failures import is_device_failure


def decode(data: bytes, mode: int, device: torch.device) -> Tensor | None:
    """None where the device is not CUDA or nvJPEG declines, as it does 12 bits and arithmetic coding.

    mode: of torchvision.io.ImageReadMode. The pixels differ slightly from libjpeg's: another inverse DCT and
    another interpolation of chroma.
    """
    if device.type != "cuda":
        return None
    from torchvision.io import ImageReadMode, decode_jpeg

    encoded = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    try:
        return decode_jpeg(encoded, mode=ImageReadMode(mode), device=device).permute(1, 2, 0)
    except RuntimeError as error:
        if is_device_failure(error):
            raise
        return None
