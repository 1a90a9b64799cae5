"""What a network makes of a face, averaged along the frames of a track, so that its texture does not boil.

Each frame has noise of its own, and a network makes another texture of it. A face and its restoration are averaged over
time in the crop, where the face lies still. Where the face itself changes, as a mouth that opens, the present frame
counts alone; so does light and shade everywhere: only what is finer than a sixteenth of the crop is averaged. A face
that changes as a whole, as one that comes nearer and is sharper in each frame, is averaged the less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.image.bands import upscaled
from gpen_fast.image.colour import brightness, to_8bit_scale, to_depth
from gpen_fast.types import TOPS
from gpen_fast.video.trend import trend_share

# Cells of a crop along each side: what is coarser is not averaged.
_CELLS = 16
# Pixels of a crop of 256 that are compared together, a side; less for smaller crops.
_BLOCKS = 64
# A block changes where the deviation of so many blocks a side around it is above noise by this factor and so many grey
# levels; it counts as unchanged up to there, and as another one from twice that on. One block alone would have to
# differ by several times the noise to be told from it: the mouth of a face that speaks would smear.
_AROUND, _NOISE, _LEVELS = 5, 1.4, 0.5
# The noise of a block is taken for at most this, grey levels, and for at most so much more than in the frame before:
# a face that moves as a whole must not pass for noise.
_MOST_NOISE, _NOISE_GROWS = 4.0, 1.05
# Share of the difference to the frames before that a change of the whole explains: up to the first it is taken for
# noise and averaged, from the second on nothing is. Measured on clips of known motion: 0.03 to 0.2 where frames have
# noise, 0.7 and up where a blurred face grows. benchmarks/temporal.py.
_NO_TREND, _TREND = 0.2, 0.8
# Noise of blocks, grey levels: up to the first a face that is left as found stays so, from the second on all of it is
# averaged. A clean face that moves has 0.3 to 0.4, for each frame samples it at other places.
_QUIET, _NOISY = 0.4, 0.8
# From the median of absolute values to a deviation.
_TO_DEVIATION = 1.48
# What a frame keeps of the average before it, at 25 frames a second, is `temporal` to this power, and at most so much.
_POWER, _RATE, _MOST_KEPT = 0.6, 25.0, 0.95


@dataclass(frozen=True, eq=False)
class FaceMemory:
    """What is kept of a face between two frames."""

    crop: Tensor
    """(3,S,S) float16: the average of the crop without what is coarse, 8-bit scale."""
    restored: Tensor
    """(3,S,S) float16: the same of the restored crop."""
    need: Tensor | None
    """(N,) float32: the average of how much of the restoration the face needs; None where that is not measured."""
    noise: float
    """Deviation of the crop's blocks from frame to frame where nothing moves, grey levels."""


class SteadyFace(NamedTuple):
    """A face as it is to be pasted."""

    crop: Tensor
    """(3,S,S) in the depth of the frame: before the network."""
    restored: Tensor
    """(3,S,S) in the depth of the frame: after it."""
    own: Tensor
    """(3,S,S) in the depth of the frame: `crop`, without what of the average goes into a face that is left as found."""
    need: Tensor | None
    """(N,) how much of the restoration it needs."""
    memory: FaceMemory
    """For the next frame."""


def kept_share(temporal: float, seconds: float) -> float:
    """The share of the average before it that a frame keeps.

    Args:
        temporal: 0 (none) to 1.
        seconds: Since the frame before: of twice as many frames each keeps the more.
    """
    return float(min(temporal ** (_POWER * _RATE * seconds), _MOST_KEPT)) if temporal else 0.0


def steadied(
    memory: FaceMemory | None, crop: Tensor, restored: Tensor, need: Tensor | None, kept: float
) -> SteadyFace:
    """Averages a face with the frames before.

    Args:
        memory: What the frame before left; None where the face was not in it.
        crop: (3,S,S) uint8 or uint16, before the network.
        restored: The same after it.
        need: (N,) how much of the restoration the face needs; None where that is not measured.
        kept: What `kept_share` gives.
    """
    # In one order of memory: torch is slow where orders differ.
    before, after = (to_8bit_scale(each.contiguous()) for each in (crop, restored))
    coarse = _coarse(before)
    fine, made = before - coarse, after - coarse
    noise = 0.0
    if memory is not None:
        noise, still, share = _unchanged(memory, fine)
        weight = (kept * share) * upscaled(still, (fine.shape[-2], fine.shape[-1]))[0]
        fine = fine.lerp(memory.crop.float(), weight)
        made = made.lerp(memory.restored.float(), weight)
        if need is not None and memory.need is not None:
            need = need.lerp(memory.need, kept)
    # Rounded before it is used, so that a run that goes on from a file has the same numbers.
    left = FaceMemory(fine.half(), made.half(), need, noise)
    shown = [_to_depth(coarse + each.float(), crop.dtype) for each in (left.crop, left.restored)]
    averaged = min(1.0, max(0.0, (noise - _QUIET) / (_NOISY - _QUIET)))
    own = _to_depth(to_8bit_scale(shown[0]).lerp(before, averaged), crop.dtype)
    return SteadyFace(shown[0], shown[1], own, need, left)


def _unchanged(memory: FaceMemory, fine: Tensor) -> tuple[float, Tensor, float]:
    """Whether a crop shows what the frames before showed.

    Returns:
        The noise of its blocks; (1,1,B,B) in 0..1: how sure each shows what it showed before; and how much of the
        whole face's difference is noise, 0..1.
    """
    before = _blocks(memory.crop.float())
    difference = _blocks(fine) - before
    noise = min(_TO_DEVIATION * float(difference.abs().median()), _MOST_NOISE)
    if memory.noise:
        noise = min(noise, memory.noise * _NOISE_GROWS)
    energy = F.avg_pool2d(difference.square(), _AROUND, 1, _AROUND // 2, count_include_pad=False)
    still = (2 - energy.sqrt() / (_NOISE * noise + _LEVELS)).clamp_(0, 1)
    trend = trend_share(before, difference, still)
    return noise, still, min(1.0, max(0.0, (_TREND - trend) / (_TREND - _NO_TREND)))


def _blocks(pixels: Tensor) -> Tensor:
    """(3,S,S) to (1,1,B,B): mean brightness of blocks and those around them."""
    side = max(1, pixels.shape[-1] // _BLOCKS)
    means = F.avg_pool2d(brightness(pixels[None]), side)
    return F.avg_pool2d(means, 3, stride=1, padding=1, count_include_pad=False)


def _coarse(pixels: Tensor) -> Tensor:
    """(3,S,S): light and shade."""
    cells = F.adaptive_avg_pool2d(pixels[None], _CELLS)
    return upscaled(cells, (pixels.shape[-2], pixels.shape[-1]))[0]


def _to_depth(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Values on the scale of 8 bits as whole samples."""
    return to_depth(values * (TOPS[dtype] / TOPS[torch.uint8]), dtype)
