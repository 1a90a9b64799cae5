"""The augmentation of `training.augment` for a whole batch at once, on the device that trains.

Numbers are drawn on the host from the same distributions, so a batch has the same variations on every device.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.training.augment import Variety

_GREY = (0.299, 0.587, 0.114)


def vary_batch(faces: Tensor, others: Tensor, rng: np.random.Generator, variety: Variety) -> Tensor:
    """Varies faces at random.

    Args:
        faces: (B,3,S,S) uint8.
        others: (B,3,S,S) uint8; occlusions show pieces of them.
        rng: The source of all randomness.
        variety: How often and how strongly.

    Returns:
        (B,3,S,S), whole float32 numbers in 0..255.
    """
    number = len(faces)
    pictures = faces.float()
    chosen = _some(rng, number, variety.mirror)
    pictures[chosen] = pictures[chosen].flip(3)
    chosen = _some(rng, number, variety.warped)
    pictures[chosen] = _warped(pictures[chosen], rng, variety)
    chosen = _some(rng, number, variety.occlusion)
    pictures[chosen] = _occluded(pictures[chosen], others[chosen], rng)
    return _relit(pictures, rng, variety)


def _some(rng: np.random.Generator, number: int, probability: float) -> list[int]:
    return np.flatnonzero(rng.random(number) < probability).tolist()


def _on(values: NDArray[np.float64], like: Tensor) -> Tensor:
    """(B) numbers as (B,1,1) or (B,k) numbers as (B,k,1,1) on a picture's device."""
    column = torch.from_numpy(values.astype(np.float32)).to(like.device, non_blocking=True)
    return column.view(*column.shape, 1, 1)


def _warped(pictures: Tensor, rng: np.random.Generator, variety: Variety) -> Tensor:
    """Rotates, scales and shifts; cubic, with a mirrored border, as `warp_face` does."""
    number, side = len(pictures), pictures.shape[-1]
    angle = np.radians(rng.uniform(-variety.rotation, variety.rotation, number))
    scale = 1 + rng.uniform(-1, 1, number) * variety.scale
    shift = rng.uniform(-variety.shift, variety.shift, (number, 2)) * side
    # The picture turns about (S/2,S/2) and is shifted; the grid says where each pixel comes from.
    turn = _on(np.stack([np.cos(angle) / scale, np.sin(angle) / scale], 1), pictures)
    cosine, sine = turn[:, 0], turn[:, 1]
    x, y = _places(pictures)
    x = x - side / 2 - _on(shift[:, 0], pictures)
    y = y - side / 2 - _on(shift[:, 1], pictures)
    grid = torch.stack([cosine * x - sine * y, sine * x + cosine * y], 3) + side / 2
    warped = F.grid_sample(pictures, grid * (2 / (side - 1)) - 1, "bicubic", "reflection", align_corners=True)
    return warped.round_().clamp_(0, 255)


def _places(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The columns (1,1,S) and the rows (1,S,1) of the pixels."""
    line = torch.arange(pictures.shape[-1], device=pictures.device, dtype=torch.float32)
    return line.view(1, 1, -1), line.view(1, -1, 1)


def _occluded(pictures: Tensor, others: Tensor, rng: np.random.Generator) -> Tensor:
    """An ellipse or a turned rectangle before each face, filled with another face or with one colour."""
    number, side = len(pictures), pictures.shape[-1]
    centre = _on(rng.integers(0, side, (number, 2)).astype(float), pictures)
    axes = _on(rng.integers(side // 16, side // 4, (number, 2)).astype(float), pictures)
    angle = _on(rng.uniform(0, math.pi, number), pictures)
    x, y = _places(pictures)
    x, y = x - centre[:, 0], y - centre[:, 1]
    u, v = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
    # (B,S,S): how far outside of the shape a pixel lies, in pixels. OpenCV draws half a pixel more on each side.
    least = torch.minimum(axes[:, 0], axes[:, 1])
    ellipse = (torch.hypot(u / axes[:, 0], v / axes[:, 1]) - 1) * least
    rectangle = torch.maximum(u.abs() - axes[:, 0], v.abs() - axes[:, 1])
    round_ones = _on((rng.random(number) < 0.5).astype(float), pictures)
    opacity = (1 - torch.where(round_ones > 0, ellipse, rectangle)).clamp(0, 1)[:, None]
    # (B,3,S,S): a rolled face, or one colour.
    down, across = (torch.from_numpy(rng.integers(0, side, number)).to(pictures.device) for _ in range(2))
    line = torch.arange(side, device=pictures.device)
    rows = ((line - down[:, None]) % side).view(number, 1, side, 1).expand(-1, 3, -1, side)
    columns = ((line - across[:, None]) % side).view(number, 1, 1, side).expand(-1, 3, side, -1)
    cover = others.gather(2, rows).gather(3, columns).float()
    plain = _on((rng.random(number) < 0.3).astype(float), pictures)[:, None]
    colour = _on(rng.integers(0, 256, (number, 3)).astype(float), pictures)
    cover = torch.where(plain > 0, colour, cover)
    return (pictures + (cover - pictures) * opacity).round_()


def _relit(pictures: Tensor, rng: np.random.Generator, variety: Variety) -> Tensor:
    """Changes light (gamma, gain, a slope across the face) and colour (grey, or saturation and a cast)."""
    number, side = len(pictures), pictures.shape[-1]
    pictures = pictures / 255
    chosen = _some(rng, number, variety.light)
    if chosen:
        few = len(chosen)
        gamma = _on(np.exp(rng.uniform(-0.5, 0.5, (few, 1))), pictures)
        gain = _on(rng.uniform(0.6, 1.15, (few, 1)), pictures)
        angle, depth = _on(rng.uniform(0, 2 * np.pi, few), pictures), _on(rng.uniform(0, 0.35, few), pictures)
        x, y = (2 * place / (side - 1) - 1 for place in _places(pictures))
        slope = 1 - depth / 2 + depth / 2 * (x * angle.cos() + y * angle.sin())
        pictures[chosen] = pictures[chosen] ** gamma * gain * slope[:, None]
    weights = pictures.new_tensor(_GREY).view(1, 3, 1, 1)
    # A face turns grey, or its colours change, as two draws say: a grey face keeps no colour to change.
    grey = rng.random(number) < variety.grey
    coloured = ~grey & (rng.random(number) < variety.colour)
    saturation = np.where(grey, 0.0, np.where(coloured, rng.uniform(0.3, 1.5, number), 1.0))
    cast = np.where(coloured[:, None], rng.uniform(0.8, 1.2, (number, 3)), 1.0)
    luma = (pictures * weights).sum(1, keepdim=True)
    pictures = (luma + (pictures - luma) * _on(saturation[:, None], pictures)) * _on(cast, pictures)
    return pictures.clamp_(0, 1).mul_(255).round_()
