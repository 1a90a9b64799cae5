"""PNG: encoded on the GPU that holds the pixels, so that only compressed bytes leave it, or on the host by zlib-ng."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.streams import record_stream
from gpen_fast.image.convert import to_array
from gpen_fast.plugins import FormatFacts
from gpen_fast.png.chunks import metadata_chunks
from gpen_fast.png.encode import compress
from gpen_fast.png.host import encode_on_host
from gpen_fast.settings import FAST
from gpen_fast.stages.save.base import as_written, carried_metadata
from gpen_fast.stages.save.carry import png_chunks
from gpen_fast.types import Frame

FACTS = FormatFacts(
    suffixes=("png",),
    depths=(8, 16),
    alpha=True,
    lossless=True,
    help="lossless; a GPU encodes what it holds",
)


def encode(frame: Frame, quality: int, level: str = FAST) -> bytes:
    """Encodes a picture as PNG.

    Args:
        frame: The picture.
        quality: Ignored: PNG is lossless.
        level: `fast`, or `small` for a smaller file in far more time, always made on the host.
    """
    lean, icc = as_written(frame)
    given = carried_metadata(frame, icc)
    carried = metadata_chunks(
        icc=given.get("icc_profile"), dpi=given.get("dpi"), exif=given.get("exif"), xmp=given.get("xmp")
    )
    carried += png_chunks(frame, has_icc=icc is not None)
    if lean.pixels.is_cuda and level == FAST:
        try:
            return encode_in_place(lean, carried, keep_rgb=True)
        except RuntimeError as error:
            # Encoding on the device takes memory beside the pictures in work. The host encodes the same pixels.
            if not is_out_of_memory(error):
                raise
    return encode_on_host(to_array(lean), carried, level)


def encode_in_place(frame: Frame, carried: bytes, *, keep_rgb: bool) -> bytes:
    """Encodes the frame's channels on the device that holds them.

    Args:
        frame: The picture.
        carried: Whole chunks of metadata to write before the pixels.
        keep_rgb: Write three channels even where they are equal everywhere.
    """
    parts = [frame.pixels.expand(frame.channels, -1, -1)]
    parts += [] if frame.alpha is None else [frame.alpha.to(frame.pixels.device)]
    for part in parts:
        record_stream(part)
    return compress(_joined(parts)[None], carried, keep_rgb=keep_rgb)[0]


def _joined(parts: list[Tensor]) -> Tensor:
    """All channels concatenated; uint16 is viewed as int16, since torch lacks operations on uint16."""
    if len(parts) == 1:
        return parts[0]
    dtype = parts[0].dtype
    as_signed = torch.int16 if dtype == torch.uint16 else dtype
    return torch.cat([part.view(as_signed) for part in parts]).view(dtype)
