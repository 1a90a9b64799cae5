"""From styles to what every modulated convolution is given, for all layers in one pass.

Input scales are styles divided by their layer's largest, demodulation takes that out again, and ToRGB's weights are
multiplied by their styles. Layers are of different widths: their values stand one after the other, and a table tells
each program which part of which layer is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import jit, tl
from gpen_fast.gpen.cuda.kernels.rows import ROWS, ROWS_OPTIONS, Rows, at_once, packed
from gpen_fast.gpen.folded.layers import EPSILON

# Each layer's values start at a multiple of this many: only then Triton reads them in vectors.
_EVEN = 16


@dataclass(frozen=True, eq=False)
class Modulation:
    """What styles are applied to, of all convolutions and then of all ToRGBs.

    squares: each convolution's (out,in) sums over the kernel of squared weights, one after the other, in float32 or
    float16, with zeros up to multiples of 16. scale: (O,) float32, which each of their rows is to be multiplied by.
    colours: (3,R) float32 ToRGB weights. inputs, outputs, rgbs: where in I, O and R values each layer's stand.
    table: (P,4) int32, for each program of the kernel: start and width of its styles and start of its squares, all
    divided by 16, and its first row; the row is -1 for those that scale styles.
    """

    squares: Tensor
    scale: Tensor
    colours: Tensor
    inputs: tuple[slice, ...]
    outputs: tuple[slice, ...]
    rgbs: tuple[slice, ...]
    table: Tensor

    @property
    def conv_styles(self) -> int:
        """How many of the styles, I, are the convolutions'; the R after them are the ToRGBs'."""
        return even(self.inputs[-1].stop)

    def rows(self, layer: int) -> Rows:
        """The squares of one convolution."""
        shapes = [
            (even(o.stop) - o.start, even(i.stop) - i.start)
            for o, i in zip(self.outputs, self.inputs, strict=True)
        ]
        flat = self.squares.split([high * wide for high, wide in shapes])[layer]
        start, (high, wide) = self.outputs[layer].start, shapes[layer]
        return Rows(flat.view(high, wide), self.scale[start : start + high])


def modulation(squares: Sequence[Tensor], colours: Sequence[Tensor], storage: torch.dtype) -> Modulation:
    """From each convolution's (out,in) sums of squares and each ToRGB's (3,in) weights, float32 on one device.

    storage: of squares, float32 or float16.
    """
    inputs, outputs = spans([each.shape[1] for each in squares]), spans([len(each) for each in squares])
    rgbs = spans([each.shape[1] for each in colours])
    kept = [packed(_evened(each), storage) for each in squares]
    starts = [0, *accumulate(each.values.numel() for each in kept)]
    entries = [(span.start, each.values.shape[1], 0, -1) for span, each in zip(inputs, kept, strict=True)]
    after = even(inputs[-1].stop)
    entries += [(after + span.start, even(span.stop) - span.start, 0, -1) for span in rgbs]
    for to, span, start, each in zip(outputs, inputs, starts, kept, strict=False):
        high, wide = each.values.shape
        entries += [(span.start, wide, start + row * wide, to.start + row) for row in range(0, high, ROWS)]
    table = torch.tensor(entries, dtype=torch.int32) // torch.tensor([_EVEN, _EVEN, _EVEN, 1])
    return Modulation(
        torch.cat([each.values.flatten() for each in kept]),
        torch.cat([each.scale for each in kept]),
        torch.cat([F.pad(each, (0, even(each.shape[1]) - each.shape[1])) for each in colours], dim=1),
        inputs,
        outputs,
        rgbs,
        table.to(squares[0].device, torch.int32),
    )


def even(number: int) -> int:
    """The next place from `number` up where a layer may start."""
    return -(-number // _EVEN) * _EVEN


def spans(widths: Sequence[int]) -> tuple[slice, ...]:
    """Where vectors of these widths stand, one after the other."""
    starts = [0, *accumulate(even(width) for width in widths)]
    return tuple(slice(start, start + width) for start, width in zip(starts, widths, strict=False))


def _evened(matrix: Tensor) -> Tensor:
    high, wide = matrix.shape
    return F.pad(matrix, (0, even(wide) - wide, 0, even(high) - high))


def modulate(styles: Tensor, to: Modulation) -> tuple[Tensor, Tensor, Tensor]:
    """Input scales (B,I), output scales (B,O) and ToRGB weights (B,3,R), contiguous and float32.

    styles: (B,I+R) float32, contiguous, zero where no layer's value stands. Output scales are left undefined there.
    Source: `ModulatedConv2d` of `layers.py`; shared weights as in "Analyzing and Improving the Image Quality of
    StyleGAN" (Karras et al., 2020), appendix B.
    """
    return modulate_by_kernel(styles, to) if styles.is_cuda else modulate_by_torch(styles, to)


def modulate_by_torch(styles: Tensor, to: Modulation) -> tuple[Tensor, Tensor, Tensor]:
    """`modulate` in torch operations, on any device."""
    own, rgb = styles.split([to.conv_styles, to.colours.shape[1]], dim=1)
    inputs, outputs = styles.new_zeros(own.shape), styles.new_zeros(len(styles), len(to.scale))
    for layer, (read, written) in enumerate(zip(to.inputs, to.outputs, strict=True)):
        largest = own[:, read].abs().amax(1, keepdim=True).clamp_min(EPSILON)
        inputs[:, read] = own[:, read] / largest
        wide, high = read.stop - read.start, written.stop - written.start
        squares = to.rows(layer).whole()[:high, :wide]
        sums = F.linear(inputs[:, read].square(), squares)
        outputs[:, written] = torch.rsqrt(sums + EPSILON / largest.square())
    return inputs, outputs, to.colours * rgb[:, None]


def modulate_by_kernel(styles: Tensor, to: Modulation) -> tuple[Tensor, Tensor, Tensor]:
    """`modulate` by Triton."""
    faces, every = styles.shape
    inputs = styles.new_empty(faces, to.conv_styles)
    outputs = styles.new_empty(faces, len(to.scale))
    colours = styles.new_empty(faces, *to.colours.shape)
    together, deep = at_once(faces, max(span.stop - span.start for span in to.inputs))
    with torch.cuda.device_of(styles):
        _modulate[(len(to.table), -(-faces // together))](
            styles, to.squares, to.scale, to.colours, to.table, inputs, outputs, colours,
            faces, every, to.conv_styles, len(to.scale),
            together, ROWS, deep, EPSILON, **ROWS_OPTIONS,
        )  # fmt: skip
    return inputs, outputs, colours


@jit
def _modulate(
    styles, squares, scale, weight, table, inputs, outputs, colours, faces, every, own, outs,
    F: tl.constexpr, R: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    entry = table + tl.program_id(0) * 4
    start = tl.load(entry) * 16
    width = tl.load(entry + 1) * 16
    place = tl.load(entry + 2) * 16
    first = tl.load(entry + 3)
    face = tl.program_id(1) * F + tl.arange(0, F)
    if first >= 0:
        _demodulate(
            styles + start, squares + place, scale + first, outputs + first, face, faces, width, every, outs,
            F, R, K, EPSILON,
        )  # fmt: skip
    elif start < own:
        _normalise(styles + start, inputs + start, face, faces, width, every, own, F, K, EPSILON)
    else:
        at = start - own
        _colour(styles + start, weight + at, colours + at, face, faces, width, every, every - own, K)


@jit
def _demodulate(
    styles, squares, scale, outputs, face, faces, width, every, outs,
    F: tl.constexpr, R: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """Some rows of one layer: of (s/m)^2 q and EPSILON/m^2 the common m^2 is taken out."""
    row = tl.arange(0, R)
    largest = tl.zeros((F, 1, K), tl.float32)
    products = tl.zeros((F, R, K), tl.float32)
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, None, :]
        there = (face < faces)[:, None, None] & (k < width)
        style = tl.load(styles + face[:, None, None] * every + k, mask=there, other=0)
        square = tl.load(squares + row[None, :, None] * width + k, mask=k < width, other=0)
        largest = tl.maximum(largest, tl.abs(style))
        products += style * style * square.to(tl.float32)
    sums = tl.sum(products, axis=2) * tl.load(scale + row)[None, :]
    made = tl.maximum(tl.max(largest, axis=2), EPSILON) * tl.math.rsqrt(sums + EPSILON)
    tl.store(outputs + face[:, None] * outs + row[None, :], made, mask=(face < faces)[:, None])


@jit
def _normalise(
    styles, inputs, face, faces, width, every, own,
    F: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """The styles of one layer, divided by the largest."""
    largest = tl.zeros((F, K), tl.float32)
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, :]
        there = (face < faces)[:, None] & (k < width)
        largest = tl.maximum(
            largest, tl.abs(tl.load(styles + face[:, None] * every + k, mask=there, other=0))
        )
    by = tl.maximum(tl.max(largest, axis=1), EPSILON)[:, None]
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, :]
        there = (face < faces)[:, None] & (k < width)
        style = tl.load(styles + face[:, None] * every + k, mask=there, other=0)
        tl.store(inputs + face[:, None] * own + k, style / by, mask=there)


@jit
def _colour(styles, weight, colours, face, faces, width, every, rgbs, K: tl.constexpr):
    """The weights of one ToRGB, multiplied by their styles."""
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, :]
        there = (face < faces)[:, None] & (k < width)
        style = tl.load(styles + face[:, None] * every + k, mask=there, other=0)
        for colour in tl.static_range(3):
            share = tl.load(weight + colour * rgbs + k, mask=k < width, other=0)
            tl.store(colours + (face[:, None] * 3 + colour) * rgbs + k, style * share, mask=there)
