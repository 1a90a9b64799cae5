"""PNG files from pixels on any device: `encode_png`, and `encode_pngs` for pictures of one size.

Filters, code and bits are made on the device, the same bytes on every one; the host waits once, for the lengths,
and copies as many bytes as there are. PNG specification, third edition; RFC 1950 and 1951.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gpen_fast.device.streams import AsyncHostCopy, record_stream
from gpen_fast.errors import PictureError
from gpen_fast.png import chunks
from gpen_fast.png.deflate import deflate
from gpen_fast.png.filter import filter_pictures
from gpen_fast.png.idat import frame_chunks
from gpen_fast.png.kernels import usable

_DEPTHS = {torch.uint8: 8, torch.uint16: 16}
_MOST_CHANNELS = 4
# Of a batch: while the first files are put together the rest is on its way, and each copy has its price.
_COPIES = 4
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
    record_stream(pixels)
    framed, facts = on_device(pixels, keep_rgb)
    sizes, written = AsyncHostCopy(facts).wait().T[:2].tolist()
    height, width = pixels.shape[2:]
    starts = [
        chunks.header(width, height, channels, _DEPTHS[pixels.dtype]) + carried for channels in range(1, 5)
    ]
    return [
        b"".join((starts[channels - 1], data.numpy().data, chunks.END))
        for data, channels in zip(_fetched(framed, sizes), written, strict=True)
    ]


def on_device(pixels: Tensor, keep_rgb: bool) -> tuple[Tensor, Tensor]:
    """IDAT chunks, (B,M) uint8 or, one picture right after the other, (T,); and (B,n) int64: bytes, channels, more."""
    if pixels.dtype == torch.uint16:
        # Only reinterpreted, never computed with: torch lacks most operations on uint16.
        pixels = pixels.view(torch.int16)
    if usable(pixels):
        from gpen_fast.png.kernels.encode import on_device as by_kernels

        return by_kernels(pixels, keep_rgb)
    return on_device_by_torch(pixels, keep_rgb)


def on_device_by_torch(pixels: Tensor, keep_rgb: bool) -> tuple[Tensor, Tensor]:
    """`on_device` in torch operations, on any device: hundreds of small ones."""
    stream, lengths, written = filter_pictures(pixels, keep_rgb)
    framed, sizes = frame_chunks(*deflate(stream, lengths))
    return framed, torch.stack([sizes, written], dim=1)


def _fetched(framed: Tensor, sizes: list[int]) -> Iterator[Tensor]:
    """Each picture's chunks in host memory; every copy is on its way before the first is waited for."""
    if framed.ndim == 2:
        copies = [AsyncHostCopy(one[:size]) for one, size in zip(framed, sizes, strict=True)]
        yield from (copy.wait() for copy in copies)
        return
    step = -(-len(sizes) // _COPIES)
    groups = [sizes[first : first + step] for first in range(0, len(sizes), step)]
    parts = framed[: sum(sizes)].split([sum(group) for group in groups])
    for group, copy in zip(groups, [AsyncHostCopy(part) for part in parts], strict=True):
        yield from copy.wait().split(group)


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
