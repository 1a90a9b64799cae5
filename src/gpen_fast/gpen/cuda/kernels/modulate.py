"""From the styles to every layer's scales, for all layers in one launch.

For the styles s of a convolution with m = max |s| and sums of squares q over the kernel:

    input scales   s / m
    output scales  1 / sqrt(sum of (s/m)^2 * q + e / m^2)      demodulation, with the m taken out again
    ToRGB weights  w * s                                       not demodulated

All in float32. Input scales are at most 1, so that fp16 activations cannot overflow by them.

Layers have different widths: their values stand one after the other, and a table tells each program which part of
which layer it computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels._jit import jit, tl
from gpen_fast.gpen.cuda.kernels.rows import (
    ROWS_OPTIONS,
    ROWS_PER_PROGRAM,
    PackedRows,
    pack_rows,
    tile_sizes,
)
from gpen_fast.gpen.folded.layers import EPSILON

# Each layer's values start at a multiple of this many: only then does Triton read them in vectors.
_ALIGNMENT = 16


@dataclass(frozen=True, eq=False)
class ModulationPlan:
    """The weights that styles are applied to, and where each layer's values stand.

    I, O and R are the lengths of all convolutions' inputs, all their outputs, and all ToRGBs' inputs, each layer
    rounded up to 16.
    """

    squares: Tensor
    """Flat: each convolution's (out,in) sums over the kernel of squared weights, one after the other, float32 or
    float16, both sides padded with zeros to multiples of 16."""
    scale: Tensor
    """(O,) float32, by which each row of squares is multiplied."""
    rgb_weights: Tensor
    """(3,R) float32, the ToRGBs' weights."""
    input_slices: tuple[slice, ...]
    """Each convolution's inputs in I values."""
    output_slices: tuple[slice, ...]
    """Each convolution's outputs in O values."""
    rgb_slices: tuple[slice, ...]
    """Each ToRGB's inputs in R values."""
    table: Tensor
    """(P,4) int32, one entry for each program of the kernel: start and width of its styles and start of its squares,
    all divided by 16, and its first row of outputs, which is -1 for programs that scale styles."""

    @property
    def conv_styles(self) -> int:
        """I: of I+R styles the first I are the convolutions', the others the ToRGBs'."""
        return align_up(self.input_slices[-1].stop)

    def rows(self, layer: int) -> PackedRows:
        """The padded squares of one convolution."""
        shapes = [
            (align_up(o.stop) - o.start, align_up(i.stop) - i.start)
            for o, i in zip(self.output_slices, self.input_slices, strict=True)
        ]
        flat = self.squares.split([high * wide for high, wide in shapes])[layer]
        start, (high, wide) = self.output_slices[layer].start, shapes[layer]
        return PackedRows(flat.view(high, wide), self.scale[start : start + high])


def plan_modulation(
    squares: Sequence[Tensor], rgb_weights: Sequence[Tensor], storage: torch.dtype
) -> ModulationPlan:
    """Lays out all layers' weights for `modulate`.

    Args:
        squares: Each convolution's (out,in) float32 sums over the kernel of squared weights.
        rgb_weights: Each ToRGB's (3,in) float32 weights, on the same device.
        storage: Of the squares, float32 or float16.
    """
    inputs = aligned_slices([each.shape[1] for each in squares])
    outputs = aligned_slices([len(each) for each in squares])
    rgbs = aligned_slices([each.shape[1] for each in rgb_weights])
    packed = [pack_rows(_padded(each), storage) for each in squares]
    return ModulationPlan(
        torch.cat([each.values.flatten() for each in packed]),
        torch.cat([each.scale for each in packed]),
        torch.cat([F.pad(each, (0, align_up(each.shape[1]) - each.shape[1])) for each in rgb_weights], dim=1),
        inputs,
        outputs,
        rgbs,
        _program_table(inputs, outputs, rgbs, packed).to(squares[0].device, torch.int32),
    )


def _program_table(
    inputs: Sequence[slice], outputs: Sequence[slice], rgbs: Sequence[slice], packed: Sequence[PackedRows]
) -> Tensor:
    """(P,4) int32 on the CPU: see `ModulationPlan.table`."""
    # One program normalises each convolution's styles.
    entries = [(span.start, each.values.shape[1], 0, -1) for span, each in zip(inputs, packed, strict=True)]
    # One multiplies each ToRGB's weights.
    conv_styles = align_up(inputs[-1].stop)
    entries += [(conv_styles + span.start, align_up(span.stop) - span.start, 0, -1) for span in rgbs]
    # One computes every four output scales.
    starts = [0, *accumulate(each.values.numel() for each in packed)]
    for output, input_, start, each in zip(outputs, inputs, starts, packed, strict=False):
        high, wide = each.values.shape
        entries += [
            (input_.start, wide, start + row * wide, output.start + row)
            for row in range(0, high, ROWS_PER_PROGRAM)
        ]
    divisors = torch.tensor([_ALIGNMENT, _ALIGNMENT, _ALIGNMENT, 1])
    return torch.tensor(entries, dtype=torch.int32) // divisors


def align_up(number: int) -> int:
    """The next multiple of 16 from `number` up, where a layer may start."""
    return -(-number // _ALIGNMENT) * _ALIGNMENT


def aligned_slices(widths: Sequence[int]) -> tuple[slice, ...]:
    """Where vectors of these widths stand, one after the other, each at a multiple of 16."""
    starts = [0, *accumulate(align_up(width) for width in widths)]
    return tuple(slice(start, start + width) for start, width in zip(starts, widths, strict=False))


def _padded(matrix: Tensor) -> Tensor:
    """The matrix with zeros up to multiples of 16 on both sides."""
    high, wide = matrix.shape
    return F.pad(matrix, (0, align_up(wide) - wide, 0, align_up(high) - high))


def modulate(styles: Tensor, plan: ModulationPlan) -> tuple[Tensor, Tensor, Tensor]:
    """Computes every layer's scales.

    Source: `ModulatedConv2d` of `layers.py`; shared weights as in "Analyzing and Improving the Image Quality of
    StyleGAN" (Karras et al., 2020), appendix B.

    Args:
        styles: (B,I+R) float32, contiguous, zero between the layers' values.
        plan: The layers.

    Returns:
        Input scales (B,I), output scales (B,O) and ToRGB weights (B,3,R), contiguous, float32. Output scales between
        the layers' values are undefined.
    """
    return modulate_by_kernel(styles, plan) if styles.is_cuda else modulate_by_torch(styles, plan)


def modulate_by_torch(styles: Tensor, plan: ModulationPlan) -> tuple[Tensor, Tensor, Tensor]:
    """`modulate` in torch operations, on any device."""
    own, rgb = styles.split([plan.conv_styles, plan.rgb_weights.shape[1]], dim=1)
    inputs, outputs = styles.new_zeros(own.shape), styles.new_zeros(len(styles), len(plan.scale))
    for layer, (read, written) in enumerate(zip(plan.input_slices, plan.output_slices, strict=True)):
        largest = own[:, read].abs().amax(1, keepdim=True).clamp_min(EPSILON)
        inputs[:, read] = own[:, read] / largest
        wide, high = read.stop - read.start, written.stop - written.start
        squares = plan.rows(layer).unpacked()[:high, :wide]
        sums = F.linear(inputs[:, read].square(), squares)
        outputs[:, written] = torch.rsqrt(sums + EPSILON / largest.square())
    return inputs, outputs, plan.rgb_weights * rgb[:, None]


def modulate_by_kernel(styles: Tensor, plan: ModulationPlan) -> tuple[Tensor, Tensor, Tensor]:
    """`modulate` by Triton."""
    faces, width = styles.shape
    inputs = styles.new_empty(faces, plan.conv_styles)
    outputs = styles.new_empty(faces, len(plan.scale))
    rgb_weights = styles.new_empty(faces, *plan.rgb_weights.shape)
    together, deep = tile_sizes(faces, max(span.stop - span.start for span in plan.input_slices))
    with torch.cuda.device_of(styles):
        _modulate[(len(plan.table), -(-faces // together))](
            styles, plan.squares, plan.scale, plan.rgb_weights, plan.table, inputs, outputs, rgb_weights,
            faces, width, plan.conv_styles, len(plan.scale),
            together, ROWS_PER_PROGRAM, deep, EPSILON, **ROWS_OPTIONS,
        )  # fmt: skip
    return inputs, outputs, rgb_weights


@jit
def _modulate(
    styles, squares, scale, weights, table, inputs, outputs, rgb_weights,
    faces, style_stride, conv_styles, outs,
    F: tl.constexpr, R: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """One entry of the table for F faces. A kernel takes its launch arguments one by one."""
    entry = table + tl.program_id(0) * 4
    # Multiplied by 16 here, so that the compiler sees that offsets are divisible by it.
    start = tl.load(entry) * 16
    width = tl.load(entry + 1) * 16
    place = tl.load(entry + 2) * 16
    first = tl.load(entry + 3)
    face = tl.program_id(1) * F + tl.arange(0, F)
    if first >= 0:
        _demodulate(
            styles + start, squares + place, scale + first, outputs + first, face, faces, width, style_stride, outs,
            F, R, K, EPSILON,
        )  # fmt: skip
    elif start < conv_styles:
        _normalise(
            styles + start, inputs + start, face, faces, width, style_stride, conv_styles, F, K, EPSILON
        )
    else:
        at = start - conv_styles
        _scale_rgb(
            styles + start, weights + at, rgb_weights + at, face, faces, width, style_stride,
            style_stride - conv_styles, K,
        )  # fmt: skip


@jit
def _demodulate(
    styles, squares, scale, outputs, face, faces, width, style_stride, outs,
    F: tl.constexpr, R: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """R output scales of one layer for F faces.

    1 / sqrt(sum of (s/m)^2 q + e/m^2) = m / sqrt(sum of s^2 q + e): so one pass finds both the sum and m.
    """
    row = tl.arange(0, R)
    largest = tl.zeros((F, 1, K), tl.float32)
    products = tl.zeros((F, R, K), tl.float32)
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, None, :]
        there = (face < faces)[:, None, None] & (k < width)
        # (F,1,K) styles and (1,R,K) squares.
        style = tl.load(styles + face[:, None, None] * style_stride + k, mask=there, other=0)
        square = tl.load(squares + row[None, :, None] * width + k, mask=k < width, other=0)
        largest = tl.maximum(largest, tl.abs(style))
        products += style * style * square.to(tl.float32)
    # (F,R,K) -> (F,R), times the rows' scales.
    sums = tl.sum(products, axis=2) * tl.load(scale + row)[None, :]
    factor = tl.maximum(tl.max(largest, axis=2), EPSILON) * tl.math.rsqrt(sums + EPSILON)
    tl.store(outputs + face[:, None] * outs + row[None, :], factor, mask=(face < faces)[:, None])


@jit
def _normalise(
    styles, inputs, face, faces, width, style_stride, conv_styles,
    F: tl.constexpr, K: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """The styles of one layer for F faces, divided by the largest of each face: one pass to find it, one to divide."""
    largest = tl.zeros((F, K), tl.float32)
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, :]
        there = (face < faces)[:, None] & (k < width)
        largest = tl.maximum(
            largest, tl.abs(tl.load(styles + face[:, None] * style_stride + k, mask=there, other=0))
        )
    by = tl.maximum(tl.max(largest, axis=1), EPSILON)[:, None]
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, :]
        there = (face < faces)[:, None] & (k < width)
        style = tl.load(styles + face[:, None] * style_stride + k, mask=there, other=0)
        tl.store(inputs + face[:, None] * conv_styles + k, style / by, mask=there)


@jit
def _scale_rgb(styles, weights, rgb_weights, face, faces, width, style_stride, rgb_stride, K: tl.constexpr):
    """The (3,in) weights of one ToRGB for F faces, multiplied by their styles."""
    for step in range(0, width, K):
        k = step + tl.arange(0, K)[None, :]
        there = (face < faces)[:, None] & (k < width)
        style = tl.load(styles + face[:, None] * style_stride + k, mask=there, other=0)
        for colour in tl.static_range(3):
            weight = tl.load(weights + colour * rgb_stride + k, mask=k < width, other=0)
            target = rgb_weights + (face[:, None] * 3 + colour) * rgb_stride + k
            tl.store(target, style * weight, mask=there)
