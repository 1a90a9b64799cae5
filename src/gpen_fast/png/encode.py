"""PNG files from pixels on any device: `encode_png`, and `encode_pngs` for pictures of one size.

Filters, Huffman codes and bits are made on the device, the same bytes on each. The host waits once, for the lengths,
and copies as many bytes as there are. PNG specification, third edition; RFC 1950 and 1951.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gpen_fast.device.fork import ready_after_fork
from gpen_fast.device.streams import AsyncHostCopy, record_stream
from gpen_fast.errors import PictureError
from gpen_fast.png import chunks
from gpen_fast.png.by_torch import on_device_by_torch
from gpen_fast.png.kernels import kernels_usable
from gpen_fast.types import ICC_GREY, ICC_RGB, icc_space

_DEPTHS = {torch.uint8: 8, torch.uint16: 16}
_MOST_CHANNELS = 4
# Copies in which a batch leaves the device: the host joins the first files while the rest is on its way. More copies
# would cost more than they hide.
_COPIES = 4


def encode_png(
    pixels: Tensor, *, icc: bytes | None = None, exif: bytes | None = None, keep_rgb: bool = False
) -> bytes:
    """Encodes one picture as a PNG file.

    Args:
        pixels: (1|2|3|4,H,W) uint8 or uint16 on any device, with any strides: grey, grey with alpha, RGB, RGB with
            alpha.
        icc: An ICC profile that describes the channels. Without one the file says sRGB.
        exif: EXIF bytes, written as they are.
        keep_rgb: Write three channels even where they are equal everywhere. Otherwise such a picture is written as
            one channel, unless `icc` describes RGB.

    Returns:
        The whole file.

    Raises:
        PictureError: Another shape or dtype, no pixels, or a profile that does not describe the channels.

    >>> data = encode_png(torch.zeros(3, 32, 48, dtype=torch.uint8))
    """
    if not isinstance(pixels, Tensor) or pixels.ndim != 3:
        raise PictureError(f"{_what(pixels)} is not a picture: accepted is (1|2|3|4,H,W), uint8 or uint16.")
    return encode_pngs(pixels[None], icc=icc, exif=exif, keep_rgb=keep_rgb)[0]


def encode_pngs(
    pixels: Tensor, *, icc: bytes | None = None, exif: bytes | None = None, keep_rgb: bool = False
) -> list[bytes]:
    """Encodes pictures of one size as PNG files, with one wait for all of them.

    Args:
        pixels: (B,1|2|3|4,H,W) uint8 or uint16, as in `encode_png`.
        icc: As in `encode_png`, for every picture.
        exif: As in `encode_png`, for every picture.
        keep_rgb: As in `encode_png`; each picture is looked at on its own.

    Returns:
        The B whole files.

    Raises:
        PictureError: As in `encode_png`.
    """
    ready_after_fork()
    _check(pixels)
    _check_profile(icc, pixels.shape[1])
    metadata = chunks.metadata_chunks(icc=icc, exif=exif)
    carried = metadata if icc else chunks.srgb() + metadata
    return compress(pixels, carried, keep_rgb=keep_rgb or icc_space(icc) == ICC_RGB)


def compress(pixels: Tensor, carried: bytes = b"", *, keep_rgb: bool = False) -> list[bytes]:
    """Encodes pictures of one size with metadata that is ready.

    Args:
        pixels: (B,1|2|3|4,H,W) uint8 or uint16, as in `encode_png`.
        carried: Whole chunks to write between IHDR and the pixels; no others are added.
        keep_rgb: Write three channels even where they are equal everywhere.

    Returns:
        The B whole files.

    Raises:
        PictureError: Another shape or dtype, or no pixels.
    """
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
    """Encodes pixels as IDAT chunks, by the kernels where they work and else by torch operations.

    Args:
        pixels: (B,C,H,W) uint8 or uint16, any strides.
        keep_rgb: Write three channels even where they are equal everywhere.

    Returns:
        uint8, the pictures' IDAT chunks: (B,M), a row for each picture, by torch operations; (T,), one picture right
        after the other, by kernels.
        (B,n) int64, first the bytes of these chunks and the channels written.
    """
    if pixels.dtype == torch.uint16:
        # Only its bytes are needed, and torch lacks most operations on uint16.
        pixels = pixels.view(torch.int16)
    if kernels_usable(pixels):
        # Imports Triton, which is not installed everywhere.
        from gpen_fast.png.kernels.encode import on_device_by_kernels

        return on_device_by_kernels(pixels, keep_rgb)
    return on_device_by_torch(pixels, keep_rgb)


def _fetched(framed: Tensor, sizes: list[int]) -> Iterator[Tensor]:
    """Each picture's chunks in host memory; every copy is started before the first is waited for."""
    if framed.ndim == 2:
        copies = [AsyncHostCopy(one[:size]) for one, size in zip(framed, sizes, strict=True)]
        yield from (copy.wait() for copy in copies)
        return
    step = -(-len(sizes) // _COPIES)
    groups = [sizes[first : first + step] for first in range(0, len(sizes), step)]
    parts = framed[: sum(sizes)].split([sum(group) for group in groups])
    for group, copy in zip(groups, [AsyncHostCopy(part) for part in parts], strict=True):
        yield from copy.wait().split(group)


def _check(pixels: object) -> None:
    """Raises PictureError for what cannot be encoded."""
    fits = isinstance(pixels, Tensor) and pixels.ndim == 4 and 1 <= pixels.shape[1] <= _MOST_CHANNELS
    if not fits or not isinstance(pixels, Tensor) or pixels.dtype not in _DEPTHS or 0 in pixels.shape:
        raise PictureError(
            f"{_what(pixels)}: a PNG encoder accepts (B,1|2|3|4,H,W), uint8 or uint16, not empty."
        )


def _check_profile(icc: bytes | None, channels: int) -> None:
    """Raises PictureError for a profile of other channels."""
    wanted = ICC_GREY if channels <= 2 else ICC_RGB
    space = icc_space(icc)
    if icc and space != wanted:
        raise PictureError(
            f"an ICC profile of {space.decode('latin-1').strip() or 'nothing'} for {channels} channels: accepted "
            f"is one of {wanted.decode().strip()}. Leave it out, or convert the picture."
        )


def _what(pixels: object) -> str:
    """What came, for a message."""
    if not isinstance(pixels, Tensor):
        return f"a {type(pixels).__name__}"
    return f"a tensor of shape {tuple(pixels.shape)}, {str(pixels.dtype).removeprefix('torch.')},"
