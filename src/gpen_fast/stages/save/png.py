"""PNG: on the device where the pixels are, so that only compressed bytes leave it, else by zlib-ng."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.streams import record_stream
from gpen_fast.image.convert import to_array
from gpen_fast.plugins import FormatFacts
from gpen_fast.png.chunks import metadata as chunks_for
from gpen_fast.png.encode import compress
from gpen_fast.png.host import encode_on_host
from gpen_fast.settings import FAST
from gpen_fast.stages.save.base import fitting, metadata
from gpen_fast.types import Frame

FACTS = FormatFacts(
    suffixes=("png",),
    depths=(8, 16),
    alpha=True,
    lossless=True,
    help="lossless; a GPU encodes what it holds",
)


def encode(frame: Frame, quality: int, level: str = FAST) -> bytes:
    """The picture as a PNG file; `quality` has no meaning here. `small` is always made on the host."""
    lean, icc = fitting(frame)
    said = metadata(frame, icc)
    carried = chunks_for(
        icc=said.get("icc_profile"), dpi=said.get("dpi"), exif=said.get("exif"), xmp=said.get("xmp")
    )
    if lean.pixels.is_cuda and level == FAST:
        try:
            return encode_in_place(lean, carried, keep_rgb=icc is not None)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
    return encode_on_host(to_array(lean), carried, level)


def encode_in_place(frame: Frame, carried: bytes, *, keep_rgb: bool) -> bytes:
    """The frame's channels as a PNG file, made on the device that holds them."""
    parts = [frame.pixels.expand(frame.channels, -1, -1)]
    parts += [] if frame.alpha is None else [frame.alpha.to(frame.pixels.device)]
    for part in parts:
        record_stream(part)
    return compress(_joined(parts)[None], carried, keep_rgb=keep_rgb)[0]


def _joined(parts: list[Tensor]) -> Tensor:
    """One tensor of all channels, joined as int16 where they are uint16: torch lacks most operations on that."""
    if len(parts) == 1:
        return parts[0]
    dtype = parts[0].dtype
    as_signed = torch.int16 if dtype == torch.uint16 else dtype
    return torch.cat([part.view(as_signed) for part in parts]).view(dtype)
