"""JPEG by nvJPEG, through torchvision.io, on a CUDA device."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.failures import is_device_failure


def decode_nvjpeg(data: bytes, mode: int, device: torch.device) -> Tensor | None:
    """Decodes a JPEG file on the GPU.

    The pixels differ slightly from libjpeg's: nvJPEG has another inverse DCT and another interpolation of chroma.

    Args:
        data: The whole file.
        mode: A value of torchvision.io.ImageReadMode.
        device: Where to decode.

    Returns:
        (H,W,1|3) uint8 on `device`. None where that is not CUDA or nvJPEG declines the file, as it does 12 bits and
        arithmetic coding.
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
