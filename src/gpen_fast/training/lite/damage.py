"""The damage of `training.degrade` for a whole batch at once, on the device that trains.

What is drawn is drawn by the same code; what is done to the pixels differs by rounding: blur and downscale are one step
here, with no rounding in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gpen_fast.training.degrade import Damage, DamageRanges, draw_damage
from gpen_fast.training.lite.jpeg import through_jpeg
from gpen_fast.training.lite.resample import (
    blur_matrices,
    canvas_for,
    repeat_borders,
    resampled,
    resize_matrices,
)


@dataclass(frozen=True)
class CleanInput:
    """How often a face comes in without damage or with next to none. The table [clean] of a run's TOML."""

    whole: float = 0.0
    """Probability of a face without any damage."""

    nearly: float = 0.0
    """Probability of a face with next to no damage: what a good camera and one good JPEG leave."""

    factor: float = 1.3
    """Nearly clean: largest downscale factor."""

    blur: float = 0.4
    """Nearly clean: largest blur sigma in pixels."""

    noise: float = 2.0
    """Nearly clean: largest noise sigma, of 255."""

    quality: tuple[int, int] = (88, 100)
    """Nearly clean: JPEG qualities (least, most)."""


def draw_damages(
    rng: np.random.Generator, number: int, ranges: DamageRanges, clean: CleanInput
) -> list[Damage]:
    """Returns the random damage of `number` faces."""
    return [_drawn(rng, ranges, clean) for _ in range(number)]


def _drawn(rng: np.random.Generator, ranges: DamageRanges, clean: CleanInput) -> Damage:
    kind = rng.random()
    if kind < clean.whole:
        return Damage(1.0, blur=0.0, noise=0.0, quality=None)
    if kind < clean.whole + clean.nearly:
        return Damage(
            rng.uniform(1, clean.factor),
            blur=rng.uniform(0, clean.blur),
            noise=rng.uniform(0, clean.noise),
            quality=int(rng.integers(clean.quality[0], clean.quality[1] + 1)),
        )
    return draw_damage(rng, ranges)


def degrade_batch(faces: Tensor, damages: Sequence[Damage], generator: torch.Generator) -> Tensor:
    """Damages faces.

    Args:
        faces: (B,3,S,S) RGB, whole float32 numbers in 0..255; S is a multiple of 16.
        damages: The damage of each.
        generator: The source of the noise, on the faces' device.

    Returns:
        (B,3,S,S), whole float32 numbers in 0..255.
    """
    side, device = faces.shape[-1], faces.device

    def column(values: Sequence[float], dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.tensor(values, dtype=dtype).to(device, non_blocking=True)

    small = [max(1, round(side / damage.factor)) for damage in damages]
    # All pictures fit on the canvas: work is saved where none of the batch is large.
    canvas = canvas_for(small, side)
    sides, full = column(small, torch.int64), column([side] * len(damages), torch.int64)
    # (B,M,S) @ (B,S,S): blur, then downscale.
    down = resize_matrices(full, sides, column([d.down for d in damages], torch.int64), canvas, side)
    if any(damage.blur > 0 for damage in damages):
        down = down @ blur_matrices(column([damage.blur for damage in damages]), side)
    pictures = resampled(faces, down)
    # (B,3,M,M): with noise, then through JPEG.
    pictures = _noisy(pictures, damages, generator)
    pictures = through_jpeg(
        repeat_borders(pictures, sides), column([d.quality or 0 for d in damages], torch.int64), sides
    )
    # (B,3,S,S): upscaled.
    up = resize_matrices(sides, full, column([d.up for d in damages], torch.int64), side, canvas)
    return resampled(repeat_borders(pictures, sides), up)


def _noisy(pictures: Tensor, damages: Sequence[Damage], generator: torch.Generator) -> Tensor:
    """(B,3,M,M) with Gaussian noise, the same in all channels of some pictures."""
    grain = torch.randn(pictures.shape, generator=generator, device=pictures.device)
    sigmas = torch.tensor([damage.noise for damage in damages]).view(-1, 1, 1, 1).to(pictures.device)
    grey = torch.tensor([damage.grey_noise for damage in damages]).view(-1, 1, 1, 1).to(pictures.device)
    grain = torch.where(grey, grain[:, :1], grain)
    return (pictures + sigmas * grain).round_().clamp_(0, 255)
