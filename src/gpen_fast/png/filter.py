"""Rows of bytes and their filters (PNG specification, third edition, clauses 7.2 and 9)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gpen_fast.png.constants import on_device


def filter_pictures(pixels: Tensor, keep_rgb: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The streams that are compressed, (B,N) uint8; how many bytes of each count, and the channels in it, (B,) int64.

    pixels: (B,C,H,W) uint8 or int16. Colour that is equal everywhere is one channel, unless `keep_rgb`.
    """
    channels = pixels.shape[1]
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
    return stream, lengths, written


def _filtered(pixels: Tensor) -> Tensor:
    rows, pixel_bytes = to_rows(pixels)
    return filter_rows(rows, pixel_bytes).flatten(1)


def _is_grey(pixels: Tensor) -> Tensor:
    """(B,) bool: whether red, green and blue are equal everywhere."""
    red, green, blue = pixels[:, :3].unbind(1)
    return ((red == green) & (red == blue)).flatten(1).all(1)


def to_rows(pixels: Tensor) -> tuple[Tensor, int]:
    """Scanlines and the bytes of a pixel.

    pixels: (B,C,H,W) samples of one or two bytes, any strides. Gives (B,H,R) uint8, channels interleaved and
    samples of two bytes in network order.
    """
    batch, channels, height, width = pixels.shape
    depth = pixels.element_size()
    # Flat first: a side of one pixel may have any stride, which stands against the view.
    data = pixels.permute(0, 2, 3, 1).contiguous().flatten().view(torch.uint8)
    in_order = data.view(-1, depth).flip(1) if depth == 2 else data
    return in_order.reshape(batch, height, width * channels * depth), channels * depth


def filter_rows(rows: Tensor, pixel_bytes: int) -> Tensor:
    """The stream that is compressed: (B,H,1+R) uint8, each row after the number of its filter.

    rows: (B,H,R) uint8. Each row takes the filter whose residuals need the fewest bits, the first of equals: a sign
    and the bits of its magnitude for each that is not zero. That is nearer to what a Huffman code makes of them than
    the least absolute sum of the specification's 12.7, and 3 % smaller where pictures are smooth. Residuals depend
    on raw neighbours only, so that all rows are filtered at once.
    """
    batch, height, length = rows.shape
    best, least = rows, _cost(rows)
    chosen = torch.zeros_like(least, dtype=torch.uint8)
    for number, residual in enumerate(_residuals(rows, pixel_bytes), start=1):
        cost = _cost(residual)
        better = cost < least
        best = torch.where(better[..., None], residual, best)
        least = torch.where(better, cost, least)
        chosen = chosen.masked_fill(better, number)
    return torch.cat([chosen.view(batch, height, 1), best.view(batch, height, length)], dim=2)


def _residuals(rows: Tensor, pixel_bytes: int) -> Iterator[Tensor]:
    """Sub, Up, Average and Paeth, one after the other; bytes wrap around as the specification wants."""
    left, up, corner = _neighbours(rows, pixel_bytes)
    yield rows - left
    yield rows - up
    # The mean without a ninth bit.
    yield rows - ((left & up) + ((left ^ up) >> 1))
    yield rows - _paeth(left, up, corner)


def _neighbours(rows: Tensor, pixel_bytes: int) -> tuple[Tensor, Tensor, Tensor]:
    """The bytes before, above and before that of each byte; zero outside the picture."""
    framed = torch.nn.functional.pad(rows, (pixel_bytes, 0, 1, 0))
    return framed[:, 1:, :-pixel_bytes], framed[:, :-1, pixel_bytes:], framed[:, :-1, :-pixel_bytes]


def _paeth(left: Tensor, up: Tensor, corner: Tensor) -> Tensor:
    """The neighbour nearest to left + up - corner; the order of equals is left, up, corner (9.4)."""
    a, b, c = left.short(), up.short(), corner.short()
    to_left, to_up, to_corner = (b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs()
    is_left = (to_left <= to_up) & (to_left <= to_corner)
    return torch.where(is_left, left, torch.where(to_up <= to_corner, up, corner))


def _cost(residual: Tensor) -> Tensor:
    """(B,H) int32: bits of each row's residuals, as signed bytes."""
    (bits,) = on_device(_bits, residual.device)
    return bits.index_select(0, residual.flatten().int()).view(residual.shape).sum(-1, dtype=torch.int32)


def _bits() -> tuple[Tensor]:
    magnitudes = (min(value, 256 - value) for value in range(256))
    return (torch.tensor([value and 1 + value.bit_length() for value in magnitudes], dtype=torch.uint8),)
