"""Damage of old photographs, for a whole batch at once: fading, film grain, halftone, dust, and scratches.

Fading changes the colours of the whole picture. A network that keeps colours must not undo it, so `fade` is applied to
the face that is wanted; all other damage is applied to the input alone, before the blur and the rest of the chain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class OldPhotograph:
    """How often faces have the damage of old photographs. The table [old] of a run's TOML."""

    fading: float = 0.0
    """Probability of a faded or sepia face, wanted and input alike."""

    grain: float = 0.0
    """Probability of film grain."""

    grain_sigma: tuple[float, float] = (3.0, 14.0)
    """Grain: sigma at middle grey, of 255."""

    halftone: float = 0.0
    """Probability of the dots of a printed page."""

    halftone_period: tuple[float, float] = (2.5, 5.0)
    """Halftone: pixels from dot to dot."""

    dust: float = 0.0
    """Probability of specks, light or dark."""

    scratches: float = 0.0
    """Probability of scratches."""

    marks: int = 6
    """Specks or scratches of a face, at most."""


def fade(faces: Tensor, rng: np.random.Generator, old: OldPhotograph) -> Tensor:
    """Fades some faces: grey with a yellow or brown cast, raised blacks, lowered whites.

    Args:
        faces: (B,3,S,S), float32 numbers in 0..255.
        rng: The source of all randomness.
        old: How often.

    Returns:
        (B,3,S,S), whole float32 numbers in 0..255.
    """
    chosen = rng.random(len(faces)) < old.fading
    colour = np.where(chosen, rng.uniform(0, 0.4, len(faces)), 1.0)
    black = np.where(chosen, rng.uniform(0, 60, len(faces)), 0.0)
    white = np.where(chosen, rng.uniform(190, 255, len(faces)), 255.0)
    tint = np.where(chosen[:, None], 1 - rng.uniform(0, 1, (len(faces), 1)) * np.array([0.0, 0.1, 0.28]), 1.0)
    luma = (faces * faces.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
    faces = luma + (faces - luma) * _each(colour, faces)
    span = _each((white - black) / 255, faces)
    tinted = (_each(black, faces) + faces * span) * torch.from_numpy(tint).to(faces).view(-1, 3, 1, 1)
    return tinted.round_().clamp_(0, 255)


def age(faces: Tensor, rng: np.random.Generator, old: OldPhotograph, generator: torch.Generator) -> Tensor:
    """Adds grain, halftone, dust and scratches to some faces.

    Args:
        faces: (B,3,S,S), float32 numbers in 0..255.
        rng: Decides which faces, and how strongly.
        old: How often and how strongly.
        generator: The source of the grain and of the marks' places, on the faces' device.

    Returns:
        (B,3,S,S), whole float32 numbers in 0..255; a face without such damage is unchanged.
    """
    number = len(faces)
    grain, halftone, dust, scratches = (
        np.flatnonzero(rng.random(number) < part).tolist()
        for part in (old.grain, old.halftone, old.dust, old.scratches)
    )
    faces = faces.clone()
    if halftone:
        faces[halftone] = _halftone(faces[halftone], rng, old)
    if grain:
        faces[grain] = _grainy(faces[grain], rng, old, generator)
    if dust:
        faces[dust] = _marked(faces[dust], rng, old, _specks(faces[dust], rng, old))
    if scratches:
        faces[scratches] = _marked(faces[scratches], rng, old, _lines(faces[scratches], rng, old))
    return faces.round_().clamp_(0, 255)


def _each(values: np.ndarray, like: Tensor) -> Tensor:
    """(B) numbers as (B,1,1,1) on the faces' device."""
    return (
        torch.from_numpy(np.asarray(values, np.float32)).to(like.device, non_blocking=True).view(-1, 1, 1, 1)
    )


def _grainy(
    faces: Tensor, rng: np.random.Generator, old: OldPhotograph, generator: torch.Generator
) -> Tensor:
    """Clumped noise, the same in all channels: strongest in the middle greys."""
    shape = (len(faces), 1, *faces.shape[2:])
    noise = torch.randn(shape, generator=generator, device=faces.device)
    clumped = F.avg_pool2d(F.pad(noise, (1, 1, 1, 1), mode="reflect"), 3, 1) * 3
    part = _each(rng.uniform(0, 1, len(faces)), faces)
    noise = (noise * (1 - part) + clumped * part) / torch.sqrt(
        (1 - part) ** 2 + part**2 + 2 / 3 * part * (1 - part)
    )
    grey = faces.mean(1, keepdim=True) / 255
    strength = _each(rng.uniform(*old.grain_sigma, len(faces)), faces) * (0.4 + 2.4 * grey * (1 - grey))
    return faces + noise * strength


def _halftone(faces: Tensor, rng: np.random.Generator, old: OldPhotograph) -> Tensor:
    """Dots on a turned grid, larger where the picture is dark, mixed with the picture."""
    number, side = len(faces), faces.shape[-1]
    line = torch.arange(side, device=faces.device, dtype=torch.float32)
    period = _each(rng.uniform(*old.halftone_period, number), faces)
    angle = _each(rng.uniform(0, math.pi / 2, number), faces)
    x, y = line.view(1, 1, 1, -1), line.view(1, 1, -1, 1)
    step = 2 * math.pi / period
    waves = ((angle.cos() * x + angle.sin() * y) * step).cos() + (
        (angle.cos() * y - angle.sin() * x) * step
    ).cos()
    # A pixel is paper where the picture is lighter than the screen; the edge between is soft, as ink runs.
    paper = 255 * torch.sigmoid((faces / 255 - 0.5 - waves / 4) * 6)
    return faces + (paper - faces) * _each(rng.uniform(0.15, 0.6, number), faces)


def _specks(faces: Tensor, rng: np.random.Generator, old: OldPhotograph) -> Tensor:
    """(B,K,S,S): how far outside of each speck a pixel lies, in pixels."""
    number, side = len(faces), faces.shape[-1]
    places = rng.uniform(0, side, (number, old.marks, 2))
    radii = _few(rng, np.exp(rng.uniform(np.log(0.6), np.log(side / 40), (number, old.marks))))
    x, y, centres, radius = _grid(faces, places, radii)
    return torch.hypot(x - centres[:, :, 0], (y - centres[:, :, 1]) * 1.3) - radius


def _lines(faces: Tensor, rng: np.random.Generator, old: OldPhotograph) -> Tensor:
    """(B,K,S,S): how far outside of each scratch a pixel lies, in pixels. A scratch is a slightly bent line."""
    number, side = len(faces), faces.shape[-1]
    places = rng.uniform(0, side, (number, old.marks, 2))
    widths = _few(rng, rng.uniform(0.3, 1.4, (number, old.marks)))
    x, y, centres, width = _grid(faces, places, widths)
    # Most scratches run along the film, that is upright.
    angles = rng.normal(0, 0.35, (number, old.marks)) + (rng.random((number, old.marks)) < 0.3) * math.pi / 2
    angle, bend, half = (
        torch.from_numpy(each.astype(np.float32)).to(faces.device)[:, :, None, None]
        for each in (
            angles,
            rng.normal(0, 0.0015, (number, old.marks)),
            rng.uniform(side / 10, side, (number, old.marks)) / 2,
        )
    )
    x, y = x - centres[:, :, 0], y - centres[:, :, 1]
    along, across = angle.cos() * y + angle.sin() * x, angle.cos() * x - angle.sin() * y
    return torch.maximum((across + bend * along**2).abs() - width, along.abs() - half)


def _few(rng: np.random.Generator, sizes: np.ndarray) -> np.ndarray:
    """Removes all but a random number of the marks: a size of -9 lies nowhere."""
    kept = rng.integers(1, sizes.shape[1] + 1, (len(sizes), 1))
    return np.where(np.arange(sizes.shape[1]) < kept, sizes, -9.0)


def _grid(faces: Tensor, places: np.ndarray, sizes: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The columns (1,1,1,S), the rows (1,1,S,1), the places (B,K,2,1,1) and the sizes (B,K,1,1)."""
    line = torch.arange(faces.shape[-1], device=faces.device, dtype=torch.float32)
    moved = [torch.from_numpy(each.astype(np.float32)).to(faces.device) for each in (places, sizes)]
    return (
        line.view(1, 1, 1, -1),
        line.view(1, 1, -1, 1),
        moved[0][..., None, None],
        moved[1][..., None, None],
    )


def _marked(faces: Tensor, rng: np.random.Generator, old: OldPhotograph, outside: Tensor) -> Tensor:
    """The faces under marks that are nearly white or nearly black, some of them half transparent."""
    size = (len(faces), old.marks)
    shade = np.where(rng.random(size) < 0.7, rng.uniform(200, 255, size), rng.uniform(0, 50, size))
    cover = rng.uniform(0.4, 1.0, size)
    opacity = (0.5 - outside).clamp(0, 1) * torch.from_numpy(cover.astype(np.float32)).to(faces)[
        :, :, None, None
    ]
    shades = torch.from_numpy(shade.astype(np.float32)).to(faces)
    for k in range(old.marks):
        faces = faces + (shades[:, k, None, None, None] - faces) * opacity[:, k, None]
    return faces
