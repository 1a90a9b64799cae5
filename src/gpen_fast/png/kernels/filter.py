"""`gpen_fast.png.filter.filter_pictures` in two kernels: one looks for colour, one filters the scanlines."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpen_fast.png.kernels import OPTIONS

# Bytes of samples that a program holds at once. Twice as many spill registers to memory.
_BLOCK = 1024
# Arguments that differ from picture to picture: Triton must not compile a kernel for each value.
_FREE = ["height", "width", "batch_step", "channel_step", "row_step", "pixel_step", "longest"]


def launch_filter(pixels: Tensor, keep_rgb: bool, colourful: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Filters pictures into the streams that are compressed.

    Args:
        pixels: (B,C,H,W) uint8 or int16, any strides; int16 holds the bits of uint16.
        keep_rgb: Write three channels even where they are equal everywhere.
        colourful: (B,) int32 zeros; afterwards 1 for pictures whose channels differ.

    Returns:
        (B,N) uint8 streams, undefined behind each stream's end.
        (B,) int64, bytes of each stream.
        (B,) int64, channels in it.
    """
    batch, channels, height, width = pixels.shape
    depth, may_be_lean = pixels.element_size(), channels >= 3 and not keep_rgb
    longest = height * (1 + width * channels * depth)
    stream = torch.empty(batch, longest, dtype=torch.uint8, device=pixels.device)
    lengths, written = (torch.empty(batch, dtype=torch.int64, device=pixels.device) for _ in range(2))
    grid, shape = (batch * height,), (height, width, *pixels.stride())
    block = _BLOCK // depth
    if may_be_lean:
        _find_colour[grid](pixels, colourful, *shape, block, **OPTIONS)
    _filter_rows[grid](
        pixels,
        stream,
        colourful,
        lengths,
        written,
        *shape,
        longest,
        channels,
        depth,
        may_be_lean,
        block,
        **OPTIONS,
    )
    return stream, lengths, written


@triton.jit(do_not_specialize=_FREE)
def _find_colour(
    pixels, colourful, height, width, batch_step, channel_step, row_step, pixel_step, BLOCK: tl.constexpr
):
    """One program a row: (3,W) samples to a 1 in `colourful` where any pixel's channels differ."""
    line = tl.program_id(0).to(tl.int64)
    picture = line // height
    row = pixels + picture * batch_step + line % height * row_step
    found = tl.zeros((BLOCK,), tl.int32)
    for start in range(0, width, BLOCK):
        # (BLOCK,) samples of each channel; found: how many pixels of each lane have colour.
        place = start + tl.arange(0, BLOCK)
        at, inside = place.to(tl.int64) * pixel_step, place < width
        red = tl.load(row + at, mask=inside, other=0)
        green = tl.load(row + channel_step + at, mask=inside, other=0)
        blue = tl.load(row + 2 * channel_step.to(tl.int64) + at, mask=inside, other=0)
        found += ((red != green) | (red != blue)).to(tl.int32)
    if tl.sum(found) > 0:
        # Several rows may store this: they all store the same value.
        tl.store(colourful + picture, 1)


@triton.jit(do_not_specialize=_FREE)
def _filter_rows(
    pixels, stream, colourful, lengths, written, height, width, batch_step, channel_step, row_step, pixel_step, longest,
    CHANNELS: tl.constexpr, DEPTH: tl.constexpr, MAY_BE_LEAN: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """One program a row: (C,W) samples to 1+R filtered bytes; with two channels less where a picture has no colour."""
    line = tl.program_id(0).to(tl.int64)
    picture, y = line // height, line % height
    row = pixels + picture * batch_step + y * row_step
    target = stream + picture * longest
    if MAY_BE_LEAN:
        if tl.load(colourful + picture) == 0:
            # Grey and, if there, alpha: channels 0 and 3.
            _lengths(lengths, written, picture, y, height, width, CHANNELS - 2, DEPTH)
            _filter_row(
                row, target, y, width, channel_step, row_step, pixel_step, CHANNELS - 2, 3, DEPTH, BLOCK
            )
        else:
            _lengths(lengths, written, picture, y, height, width, CHANNELS, DEPTH)
            _filter_row(row, target, y, width, channel_step, row_step, pixel_step, CHANNELS, 1, DEPTH, BLOCK)
    else:
        _lengths(lengths, written, picture, y, height, width, CHANNELS, DEPTH)
        _filter_row(row, target, y, width, channel_step, row_step, pixel_step, CHANNELS, 1, DEPTH, BLOCK)


@triton.jit
def _lengths(lengths, written, picture, y, height, width, CHANNELS: tl.constexpr, DEPTH: tl.constexpr):
    """The program of a picture's first row stores the stream's bytes and the channels in it."""
    if y == 0:
        tl.store(lengths + picture, height * (1 + width.to(tl.int64) * (CHANNELS * DEPTH)))
        tl.store(written + picture, CHANNELS)


@triton.jit
def _filter_row(
    row, stream, y, width, channel_step, row_step, pixel_step,
    CHANNELS: tl.constexpr, SPREAD: tl.constexpr, DEPTH: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """One row of samples to its filter's number and R residuals. SPREAD: from one channel that is taken to the next."""
    length = width * (CHANNELS * DEPTH)
    # y in every lane: Triton's interpreter cannot combine a mask of lanes with a scalar.
    above = tl.zeros((BLOCK,), tl.int64) + y
    lane = tl.arange(0, BLOCK)
    none = tl.zeros((BLOCK,), tl.int32)
    sub = tl.zeros((BLOCK,), tl.int32)
    up = tl.zeros((BLOCK,), tl.int32)
    average = tl.zeros((BLOCK,), tl.int32)
    paeth = tl.zeros((BLOCK,), tl.int32)
    # First pass. (BLOCK,) bytes and their neighbours to the estimated bits of five residuals, summed lane by lane.
    for start in range(0, length, BLOCK):
        value, a, b, c = _around(
            row, start + lane, length, above, channel_step, row_step, pixel_step, CHANNELS, SPREAD, DEPTH
        )
        none += _bits(value)
        sub += _bits(value - a)
        up += _bits(value - b)
        average += _bits(value - ((a + b) >> 1))
        paeth += _bits(value - _nearest(a, b, c))
    # (BLOCK,) sums to five totals and the number of the filter with the least.
    best = _first_least(tl.sum(none), tl.sum(sub), tl.sum(up), tl.sum(average), tl.sum(paeth))
    target = stream + y * (length + 1)
    tl.store(target, best.to(tl.uint8))
    # Second pass: the bytes are loaded again, from cache, since a row of any length cannot stay in registers.
    for start in range(0, length, BLOCK):
        value, a, b, c = _around(
            row, start + lane, length, above, channel_step, row_step, pixel_step, CHANNELS, SPREAD, DEPTH
        )
        mean = tl.where(best == 3, (a + b) >> 1, tl.where(best == 4, _nearest(a, b, c), 0))
        guess = tl.where(best == 1, a, tl.where(best == 2, b, mean))
        place = start + lane
        tl.store(target + 1 + place, ((value - guess) & 255).to(tl.uint8), mask=place < length)


@triton.jit
def _around(
    row, place, length, above, channel_step, row_step, pixel_step,
    CHANNELS: tl.constexpr, SPREAD: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """(BLOCK,) int32 each: the bytes at `place`, those a pixel to the left, above, and above those left ones.

    0 outside the picture; all four are 0 beyond the row's end, where every residual is 0 and costs nothing.
    """
    inside = place < length
    has_left = inside & (place >= CHANNELS * DEPTH)
    has_up = inside & (above > 0)
    has_corner = has_left & (above > 0)
    channel = place % (CHANNELS * DEPTH) // DEPTH * SPREAD
    at = row + (place // (CHANNELS * DEPTH)).to(tl.int64) * pixel_step + channel.to(tl.int64) * channel_step
    value = _byte(tl.load(at, mask=inside, other=0), place, DEPTH)
    left = _byte(tl.load(at - pixel_step, mask=has_left, other=0), place, DEPTH)
    up = _byte(tl.load(at - row_step, mask=has_up, other=0), place, DEPTH)
    corner = _byte(tl.load(at - row_step - pixel_step, mask=has_corner, other=0), place, DEPTH)
    return value, left, up, corner


@triton.jit
def _byte(sample, place, DEPTH: tl.constexpr):
    """The byte of a sample that stands at `place`: of two bytes the upper one comes first (PNG, 7.2)."""
    value = sample.to(tl.int32)
    if DEPTH == 2:
        value = (value >> (8 - place % 2 * 8)) & 255
    return value


@triton.jit
def _nearest(a, b, c):
    """Paeth's predictor of left, up and corner (PNG, 9.4)."""
    to_left, to_up, to_corner = tl.abs(b - c), tl.abs(a - c), tl.abs(a + b - 2 * c)
    is_left = (to_left <= to_up) & (to_left <= to_corner)
    return tl.where(is_left, a, tl.where(to_up <= to_corner, b, c))


@triton.jit
def _bits(residual):
    """Estimated bits of a residual: a sign and the bits of its magnitude, none for zero.

    The exponent of the magnitude as a float32 counts its bits: 126 more than there are.
    """
    magnitude = tl.abs((residual << 24) >> 24)
    exponent = magnitude.to(tl.float32).to(tl.int32, bitcast=True) >> 23
    return tl.maximum(exponent - 125, 0)


@triton.jit
def _first_least(none, sub, up, average, paeth):
    """The number of the filter with the least cost, the first of equals."""
    least = tl.minimum(tl.minimum(none, sub), tl.minimum(tl.minimum(up, average), paeth))
    late = tl.where(up == least, 2, tl.where(average == least, 3, 4))
    return tl.where(none == least, 0, tl.where(sub == least, 1, late))
