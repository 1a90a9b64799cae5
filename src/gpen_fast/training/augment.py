"""Augmentation of few and similar portraits: mirror, rotation, light, colour, grey, occlusion.

Faces are (S,S,3) RGB uint8; results have the same shape. The augmented face is what the network has to restore, so no
step may blur it more than one cubic resampling does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Face = NDArray[np.uint8]
# Rec. 601 luma.
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class Variety:
    """How often and how strongly faces are varied. The table [variety] of a run's TOML."""

    mirror: float = 0.5
    """Probability of a mirrored face."""

    warped: float = 0.6
    """Probability of a rotated, scaled and shifted face."""

    rotation: float = 15.0
    """Largest rotation in degrees, either way."""

    scale: float = 0.12
    """Largest change of the scale, as a part of 1."""

    shift: float = 0.05
    """Largest shift, as a part of the face's side."""

    light: float = 0.6
    """Probability of other light."""

    colour: float = 0.3
    """Probability of other colours, for a face that is not grey."""

    grey: float = 0.15
    """Probability of a grey face."""

    occlusion: float = 0.2
    """Probability of an object in front of the face."""


def augment(face: Face, other: Face, rng: np.random.Generator, variety: Variety) -> Face:
    """Varies a face at random.

    Args:
        face: (S,S,3) uint8.
        other: (S,S,3) uint8; an occlusion shows a piece of it.
        rng: The source of all randomness.
        variety: How often and how strongly.

    Returns:
        (S,S,3) uint8.
    """
    if rng.random() < variety.mirror:
        face = face[:, ::-1]
    if rng.random() < variety.warped:
        face = warp_face(face, rng, variety)
    if rng.random() < variety.occlusion:
        face = occlude(face, other, rng)
    return relight(face, rng, variety)


def warp_face(face: Face, rng: np.random.Generator, variety: Variety) -> Face:
    """Rotates, scales and shifts a face as an imperfect alignment would; the border is reflected."""
    import cv2

    side = face.shape[0]
    angle = rng.uniform(-variety.rotation, variety.rotation)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1 + rng.uniform(-1, 1) * variety.scale)
    matrix[:, 2] += rng.uniform(-variety.shift, variety.shift, 2) * side
    warped = cv2.warpAffine(
        face, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, dtype=np.uint8)


def occlude(face: Face, other: Face, rng: np.random.Generator) -> Face:
    """Puts an ellipse or a rotated rectangle, filled with `other` or with one colour, in front of a face."""
    import cv2

    side = face.shape[0]
    mask = np.zeros((side, side), np.uint8)
    centre = tuple(int(v) for v in rng.integers(0, side, 2))
    axes = tuple(int(v) for v in rng.integers(side // 16, side // 4, 2))
    if rng.random() < 0.5:
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    else:
        corners = cv2.boxPoints((centre, (2.0 * axes[0], 2.0 * axes[1]), float(rng.uniform(0, 180))))
        cv2.fillConvexPoly(mask, corners.astype(np.int32), 255, cv2.LINE_AA)
    # A random piece of the other face, or one colour.
    cover = np.roll(other, tuple(rng.integers(0, side, 2)), (0, 1))
    if rng.random() < 0.3:
        cover = np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), face.shape)
    opacity = mask[:, :, None].astype(np.float32) / 255
    return np.rint(face * (1 - opacity) + cover * opacity).astype(np.uint8)


def relight(face: Face, rng: np.random.Generator, variety: Variety) -> Face:
    """Changes light (gamma, gain, a gradient across the face) and colour (grey, or saturation and a cast)."""
    picture = face.astype(np.float32) / 255
    if rng.random() < variety.light:
        # Gamma, then gain and the gradient.
        picture = picture ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
        picture = picture * np.float32(rng.uniform(0.6, 1.15)) * _slope(face.shape[0], rng)
    grey = (picture @ _GREY)[:, :, None]
    if rng.random() < variety.grey:
        picture = np.repeat(grey, 3, axis=2)
    elif rng.random() < variety.colour:
        # Saturation, then a colour cast.
        picture = grey + (picture - grey) * np.float32(rng.uniform(0.3, 1.5))
        picture = picture * rng.uniform(0.8, 1.2, 3).astype(np.float32)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _slope(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(S,S,1): factors of light that falls off to one side."""
    yy, xx = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.35)
    return (1 - depth / 2 + depth / 2 * (xx * np.cos(angle) + yy * np.sin(angle)))[:, :, None].astype(
        np.float32
    )
