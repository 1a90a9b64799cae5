"""`gpen_fast.png.filter.filter_rows` in one kernel: a row is read twice and written once."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 1024


def filter_rows(rows: Tensor, pixel_bytes: int) -> Tensor:
    """(B,H,R) uint8 to (B,H,1+R) uint8: see the torch operations."""
    batch, height, length = rows.shape
    rows = rows.contiguous()
    filtered = torch.empty(batch, height, 1 + length, dtype=torch.uint8, device=rows.device)
    with torch.cuda.device_of(rows):
        _filter_row[(batch * height,)](rows, filtered, height, length, pixel_bytes, _BLOCK)
    return filtered


@triton.jit
def _filter_row(rows, filtered, height, length, step, BLOCK: tl.constexpr):
    line = tl.program_id(0).to(tl.int64)
    row = rows + line * length
    # A lane each: Triton's interpreter has no mask of lanes and one number.
    above = tl.zeros((BLOCK,), tl.int64) + line % height
    lane = tl.arange(0, BLOCK)
    none = tl.zeros((BLOCK,), tl.int32)
    sub = tl.zeros((BLOCK,), tl.int32)
    up = tl.zeros((BLOCK,), tl.int32)
    average = tl.zeros((BLOCK,), tl.int32)
    paeth = tl.zeros((BLOCK,), tl.int32)
    for start in range(0, length, BLOCK):
        value, a, b, c = _around(row, start + lane, length, step, above)
        none += _bits(value)
        sub += _bits(value - a)
        up += _bits(value - b)
        average += _bits(value - ((a + b) >> 1))
        paeth += _bits(value - _nearest(a, b, c))
    best = _first_least(tl.sum(none), tl.sum(sub), tl.sum(up), tl.sum(average), tl.sum(paeth))
    target = filtered + line * (length + 1)
    tl.store(target, best.to(tl.uint8))
    for start in range(0, length, BLOCK):
        value, a, b, c = _around(row, start + lane, length, step, above)
        mean = tl.where(best == 3, (a + b) >> 1, tl.where(best == 4, _nearest(a, b, c), 0))
        guess = tl.where(best == 1, a, tl.where(best == 2, b, mean))
        place = start + lane
        tl.store(target + 1 + place, ((value - guess) & 255).to(tl.uint8), mask=place < length)


@triton.jit
def _around(row, place, length, step, above):
    """Bytes, those before them, above them and before those; zero outside, all four beyond the row's end."""
    inside = place < length
    has_left = inside & (place >= step)
    has_up = inside & (above > 0)
    has_corner = has_left & (above > 0)
    value = tl.load(row + place, mask=inside, other=0).to(tl.int32)
    left = tl.load(row + place - step, mask=has_left, other=0).to(tl.int32)
    up = tl.load(row - length + place, mask=has_up, other=0).to(tl.int32)
    corner = tl.load(row - length + place - step, mask=has_corner, other=0).to(tl.int32)
    return value, left, up, corner


@triton.jit
def _nearest(a, b, c):
    to_left, to_up, to_corner = tl.abs(b - c), tl.abs(a - c), tl.abs(a + b - 2 * c)
    is_left = (to_left <= to_up) & (to_left <= to_corner)
    return tl.where(is_left, a, tl.where(to_up <= to_corner, b, c))


@triton.jit
def _bits(residual):
    """A sign and the bits of the magnitude; none for zero."""
    byte = residual & 255
    magnitude = tl.minimum(byte, 256 - byte)
    bits = tl.where(magnitude > 0, 2, 0)
    for step in tl.static_range(1, 8):
        bits += tl.where(magnitude >= (1 << step), 1, 0)
    return bits


@triton.jit
def _first_least(none, sub, up, average, paeth):
    least = tl.minimum(tl.minimum(none, sub), tl.minimum(tl.minimum(up, average), paeth))
    late = tl.where(up == least, 2, tl.where(average == least, 3, 4))
    return tl.where(none == least, 0, tl.where(sub == least, 1, late))
