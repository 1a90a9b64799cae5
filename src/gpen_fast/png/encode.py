"""PNG files from pixels on any device: `encode_png`, and `encode_pngs` for pictures of one size.

Filters, code and bits are made on the device, the same bytes on every one; the host waits once, for the lengths,
and copies as many bytes as there are. PNG specification, third edition; RFC 1950 and 1951.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gpen_fast.device import Readback, lend
from gpen_fast.errors import PictureError
from gpen_fast.png import chunks
from gpen_fast.png.deflate import deflate
from gpen_fast.png.filter import filter_rows, to_rows
from gpen_fast.png.idat import frame_chunks

_DEPTHS = {torch.uint8: 8, torch.uint16: 16}
_MOST_CHANNELS = 4
# Where an ICC profile names its colour space, and how (ICC.1:2022, 7.2.6).
_SPACE, _GREY, _RGB = slice(16, 20), b"GRAY", b"RGB "


def encode_png(
    pixels: Tensor, *, icc: bytes | None = None, exif: bytes | None = None, keep_rgb: bool = False
) -> bytes:
    """One picture as a PNG file.

    pixels: (1|2|3|4,H,W) uint8 or uint16 on any device, with any strides: grey, grey with alpha, RGB, RGB with
    alpha. icc: a profile that fits the channels; sRGB is named where there is none. exif: carried as it is.
    Colour whose three channels are equal everywhere is written as one, unless `keep_rgb` or a profile of RGB
    stands against it. Raises PictureError for any other shape or type, for no pixels, and for a profile of
    another kind of picture.

    >>> data = encode_png(torch.zeros(3, 32, 48, dtype=torch.uint8))
    """
    if not isinstance(pixels, Tensor) or pixels.ndim != 3:
        raise PictureError(f"{_what(pixels)} is no picture: accepted is (1|2|3|4,H,W), uint8 or uint16.")
    return encode_pngs(pixels[None], icc=icc, exif=exif, keep_rgb=keep_rgb)[0]


def encode_pngs(
    pixels: Tensor, *, icc: bytes | None = None, exif: bytes | None = None, keep_rgb: bool = False
) -> list[bytes]:
    """Pictures of one size as PNG files, with one wait for all: (B,1|2|3|4,H,W), else as `encode_png`."""
    _check(pixels)
    _check_profile(icc, pixels.shape[1])
    colours = chunks.metadata(icc=icc, exif=exif) if icc else chunks.srgb() + chunks.metadata(exif=exif)
    return compress(pixels, colours, keep_rgb=keep_rgb or (icc or b"")[_SPACE] == _RGB)


def compress(pixels: Tensor, carried: bytes = b"", *, keep_rgb: bool = False) -> list[bytes]:
    """(B,C,H,W) as PNG files with the chunks `carried`, whole, before the pixels; nothing else is said of them."""
    _check(pixels)
    lend(pixels)
    framed, facts = _on_device(pixels, keep_rgb)
    height, width = pixels.shape[2:]
    starts = [
        chunks.header(width, height, channels, _DEPTHS[pixels.dtype]) + carried for channels in range(1, 5)
    ]
    known = Readback(facts).wait().tolist()
    # Every copy is on its way before the first is waited for.
    copies = [Readback(one[:length]) for one, (length, _) in zip(framed, known, strict=True)]
    return [
        b"".join((starts[channels - 1], copy.wait().numpy().data, chunks.END))
        for copy, (_, channels) in zip(copies, known, strict=True)
    ]


def _on_device(pixels: Tensor, keep_rgb: bool) -> tuple[Tensor, Tensor]:
    """(B,M) uint8 IDAT chunks, and (B,2) int64: their bytes and the channels that were written."""
    channels = pixels.shape[1]
    if pixels.dtype == torch.uint16:
        # Only reinterpreted, never computed with: torch lacks most operations on uint16.
        pixels = pixels.view(torch.int16)
    stream = _filtered(pixels)
    lengths = torch.full((len(pixels),), stream.shape[1], dtype=torch.int64, device=pixels.device)
    written = torch.full_like(lengths, channels)
    if channels >= 3 and not keep_rgb:
        is_grey = _is_grey(pixels)
        lean = _filtered(torch.cat([pixels[:, :1], pixels[:, 3:]], dim=1))
        lengths = torch.where(is_grey, lean.shape[1], lengths)
        written = torch.where(is_grey, channels - 2, written)
        padded = torch.nn.functional.pad(lean, (0, stream.shape[1] - lean.shape[1]))
        stream = torch.where(is_grey[:, None], padded, stream)
    framed, sizes = frame_chunks(*deflate(stream, lengths))
    return framed, torch.stack([sizes, written], dim=1)


def _filtered(pixels: Tensor) -> Tensor:
    rows, pixel_bytes = to_rows(pixels)
    return filter_rows(rows, pixel_bytes).flatten(1)


def _is_grey(pixels: Tensor) -> Tensor:
    """(B,) bool: whether red, green and blue are equal everywhere."""
    red, green, blue = pixels[:, :3].unbind(1)
    return ((red == green) & (red == blue)).flatten(1).all(1)


def _check(pixels: Any) -> None:
    fits = isinstance(pixels, Tensor) and pixels.ndim == 4 and 1 <= pixels.shape[1] <= _MOST_CHANNELS
    if not fits or pixels.dtype not in _DEPTHS or 0 in pixels.shape:
        raise PictureError(
            f"{_what(pixels)}: a PNG encoder accepts (B,1|2|3|4,H,W), uint8 or uint16, not empty."
        )


def _check_profile(icc: bytes | None, channels: int) -> None:
    wanted = _GREY if channels <= 2 else _RGB
    if icc and icc[_SPACE] != wanted:
        raise PictureError(
            f"an ICC profile of {icc[_SPACE].decode('latin-1').strip() or 'nothing'} for {channels} channels: accepted "
            f"is one of {wanted.decode().strip()}. Leave it out, or convert the picture."
        )


def _what(pixels: Any) -> str:
    if not isinstance(pixels, Tensor):
        return f"a {type(pixels).__name__}"
    return f"a tensor of shape {tuple(pixels.shape)}, {str(pixels.dtype).removeprefix('torch.')},"
