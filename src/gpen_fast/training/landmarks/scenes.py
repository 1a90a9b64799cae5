"""Pictures without faces: photographs inside scikit-image, and synthetic scenes of overlapping shapes.

The synthetic ones follow the dead leaves model ("Occlusion Models for Natural Images", Lee, Mumford and Huang, 2001):
shapes of many sizes cover each other, which gives the statistics of photographs. Shaded ovals with a little texture are
among the shapes because detectors easily mistake them for heads.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

# The photographs of the detectors' benchmark are not among them, nor the coins, which show heads.
PHOTOGRAPHS = (
    "brick.png", "cell.png", "clock_motion.png", "grass.png", "hubble_deep_field.jpg", "ihc.png", "moon.png",
    "motorcycle_left.png", "motorcycle_right.png", "page.png", "retina.jpg", "text.png",
)  # fmt: skip
# Synthetic scenes, the side of each in pixels, and the shapes in each.
_SYNTHETIC, _SIDE, _LEAVES = 10, 512, 700
# Pixels: the smallest and the largest half axis of a shape. The number of shapes falls with the cube of their size.
_LEAST, _MOST = 8.0, 120.0


def face_free_scenes() -> list[Picture]:
    """Returns the pictures, (H,W,3) RGB uint8 each; every call returns the same ones."""
    import skimage
    from PIL import Image

    folder = Path(skimage.__file__).parent / "data"
    photographs = [np.asarray(Image.open(folder / name).convert("RGB")) for name in PHOTOGRAPHS]
    return photographs + [dead_leaves(photographs, np.random.default_rng(i)) for i in range(_SYNTHETIC)]


def dead_leaves(textures: list[Picture], rng: np.random.Generator) -> Picture:
    """Draws a synthetic scene: ovals and polygons with the textures of photographs, each lit from its own side.

    Args:
        textures: (H,W,3) RGB uint8 each: the photographs.
        rng: The source of all randomness.

    Returns:
        (512,512,3) RGB uint8.
    """
    scene = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    # Sizes of density 1/r^3 between the two bounds: the inverse of the cumulative distribution at uniform values.
    uniform = rng.random(_LEAVES)
    sizes = 1 / np.sqrt(uniform / _LEAST**2 + (1 - uniform) / _MOST**2)
    # Large shapes come first, roughly, so that they do not cover all small ones.
    for size in np.sort(sizes)[::-1][np.argsort(rng.random(_LEAVES) + np.linspace(0, 1, _LEAVES))]:
        _paste(scene, _leaf(textures[rng.integers(len(textures))], 2 * int(size) + 2, rng), rng)
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.4, 1.2)))


def _leaf(texture: Picture, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side,side,4) float32: a shaded texture, and the mask of its shape."""
    room = min(side, *texture.shape[:2])
    top, left = (rng.integers(length - room + 1) for length in texture.shape[:2])
    piece = cv2.resize(texture[top : top + room, left : left + room], (side, side)).astype(np.float32)
    piece = rng.uniform(30, 220) + (piece - piece.mean()) * rng.uniform(0.1, 0.8)
    yy, xx = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.6) * (xx * np.cos(angle) + yy * np.sin(angle))
    piece *= (light * (1 - rng.uniform(0, 0.5) * (xx**2 + yy**2)))[:, :, None]
    return np.concatenate([piece, _mask(side, rng)[:, :, None]], axis=2).clip(0, 255).astype(np.float32)


def _mask(side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(side,side), 1 inside a random oval or polygon."""
    mask = np.zeros((side, side), np.uint8)
    middle = side / 2
    if rng.random() < 0.6:
        axes = middle * 0.98, middle * rng.uniform(0.5, 0.98)
        cv2.ellipse(mask, ((middle, middle), (2 * axes[0], 2 * axes[1]), rng.uniform(0, 180)), 1, -1)
    else:
        turns = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
        corners = middle + middle * rng.uniform(0.6, 1.0, (len(turns), 1)) * np.stack(
            [np.cos(turns), np.sin(turns)], 1
        )
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
    return mask


def _paste(scene: Picture, leaf: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Draws a shape at a random place of the scene, which may cut it off."""
    side = leaf.shape[0]
    top, left = (int(v) for v in rng.integers(-side // 2, _SIDE - side // 2, 2))
    y, x = max(0, top), max(0, left)
    covered = scene[y : top + side, x : left + side]
    part = leaf[y - top : y - top + covered.shape[0], x - left : x - left + covered.shape[1]]
    np.copyto(covered, part[:, :, :3].astype(np.uint8), where=part[:, :, 3:] > 0)
