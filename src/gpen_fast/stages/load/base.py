"""Load: a file, array, tensor or PIL image as an upright Frame.

`content` reads and identifies a file, `pixels` decodes it, `describe` takes over what it says about its pixels, and
`memory` takes pictures that are in memory already.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gpen_fast.device.streams import hand_over, to_device
from gpen_fast.errors import PictureError, first_line
from gpen_fast.settings import MAX_PIXELS
from gpen_fast.stages.load.content import check_size, kind_of, open_header, read_bytes
from gpen_fast.stages.load.describe import described
from gpen_fast.stages.load.memory import copied, from_array, from_tensor
from gpen_fast.stages.load.pixels import decode_pixels, from_pillow, with_end
from gpen_fast.stages.load.tiff import read_rare_tiff
from gpen_fast.types import Frame, PictureInput


def load(
    source: PictureInput,
    device: torch.device,
    *,
    max_pixels: int = MAX_PIXELS,
    gpu_decode: bool = False,
    hashed: bool = False,
) -> Frame:
    """Loads a picture, upright, with its metadata.

    Args:
        source: A path; an (H,W) or (H,W,1|3|4) array or a (1|3|4,H,W) tensor, uint8 or uint16, grey or RGB(A); or a
            PIL image; or a Frame.
        device: Where the pixels go.
        max_pixels: Files and PIL images that declare more are refused before anything is allocated.
        gpu_decode: Decode JPEG by nvJPEG where `device` is CUDA; its pixels differ slightly from libjpeg's.
        hashed: Compute a file's SHA-256, of the very bytes that are decoded.

    Raises:
        PictureError: `source` is none of these or cannot be decoded.
        OSError: The file cannot be read.
    """
    if isinstance(source, Path):
        return _upload(_from_file(source, max_pixels, device if gpu_decode else None, hashed), device)
    if isinstance(source, Image.Image):
        check_size(source, max_pixels)
        return _upload(described(source, from_pillow(source)), device)
    if isinstance(source, Frame):
        return _upload(copied(source), device)
    return _upload(from_tensor(source) if isinstance(source, Tensor) else from_array(source), device)


def _upload(frame: Frame, device: torch.device) -> Frame:
    """The frame on `device`; its host copy is kept, since detectors on the CPU and PNG encoding read it."""
    if frame.pixels.device.type == device.type:
        # The GPU decoded the picture: the worker must not read it before that is done, and the next decode must not
        # take its memory before the worker is done.
        for part in (frame.pixels, frame.alpha):
            if part is not None:
                hand_over(part)
        return frame
    return replace(
        frame,
        pixels=to_device(frame.pixels, device),
        alpha=None if frame.alpha is None else to_device(frame.alpha, device),
        host=frame.pixels,
    )


def _from_file(path: Path, max_pixels: int, decoder: torch.device | None, hashed: bool) -> Frame:
    """Reads and decodes a file. decoder: the device that decodes JPEG, None for the host."""
    data = read_bytes(path)
    try:
        frame = _decoded(data, max_pixels, decoder)
        return replace(frame, sha256=hashlib.sha256(data).hexdigest()) if hashed else frame
    except PictureError:
        raise
    except MemoryError:
        raise PictureError("needs more memory than there is. Try a lower --max-pixels.") from None
    except Image.DecompressionBombError as cause:
        raise PictureError(
            f"declares more pixels than PIL.Image.MAX_IMAGE_PIXELS allows: {first_line(cause)}"
        ) from cause
    except Exception as cause:  # decoders raise almost any exception for a damaged file
        raise PictureError(f"damaged: {first_line(cause).rstrip('.')}.") from cause


def _decoded(data: bytes, max_pixels: int, decoder: torch.device | None) -> Frame:
    """The picture in a file's bytes."""
    notes: list[str] = []
    data = with_end(data, max_pixels, notes)
    if kind_of(data) == "TIFF" and (rare := read_rare_tiff(data, max_pixels, notes)):
        return described(*rare, data, notes)
    with open_header(data, max_pixels) as image:
        return described(image, decode_pixels(image, data, decoder, notes), data, notes)
