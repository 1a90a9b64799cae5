"""Blind-restoration degradation of aligned faces: blur, downscale, noise, JPEG, back to size.

The model of "GAN Prior Embedded Network for Blind Face Restoration in the Wild" (Yang et al., 2021), section
4.1, with the blur tied to the downscale so that it is the antialiasing of a poor camera. Faces are (S,S,3) RGB
uint8; results have the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Face = NDArray[np.uint8]

# Ways back up to size: what a viewer or a scanner's software might have used.
_UP = (cv2.INTER_CUBIC, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)
_DOWN = (cv2.INTER_CUBIC, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_AREA)


@dataclass(frozen=True)
class Damage:
    """One degradation. factor: downscale, 1 and up. blur: Gaussian sigma in pixels of the face.
    noise: Gaussian sigma on the small picture, of 255. quality: JPEG's, 1-100, None for no JPEG."""

    factor: float
    blur: float
    noise: float
    quality: int | None
    down: int = cv2.INTER_CUBIC
    up: int = cv2.INTER_CUBIC
    grey_noise: bool = False


@dataclass(frozen=True)
class Ranges:
    """Where random damage is drawn from. Pairs are (least, most); factors are drawn on a logarithmic scale.

    typical: share of pictures that keep the downscale's own blur, moderate noise and moderate JPEG.
    """

    factor: tuple[float, float] = (1.0, 8.0)
    blur: tuple[float, float] = (0.2, 0.6)
    noise: tuple[float, float] = (0.0, 15.0)
    quality: tuple[int, int] = (35, 95)
    typical: float = 0.5


TYPICAL = Ranges(blur=(0.3, 0.37), noise=(3.0, 7.0), quality=(65, 85))


def drawn(rng: np.random.Generator, ranges: Ranges) -> Damage:
    """Random damage within `ranges`."""
    typical = rng.random() < ranges.typical
    chosen = TYPICAL if typical else ranges
    low, high = ranges.factor
    factor = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return Damage(
        factor,
        blur=factor * rng.uniform(*chosen.blur),
        noise=rng.uniform(*chosen.noise),
        quality=int(rng.integers(chosen.quality[0], chosen.quality[1] + 1)),
        down=cv2.INTER_CUBIC if typical else int(rng.choice(_DOWN)),
        up=cv2.INTER_CUBIC if typical else int(rng.choice(_UP)),
        grey_noise=not typical and bool(rng.random() < 0.3),
    )


def fixed(factor: float) -> Damage:
    """The damage of the held-out test: blur of factor/3, noise of 5, JPEG of quality 75, bicubic both ways."""
    return Damage(factor, blur=factor / 3, noise=5.0, quality=75)


def degrade(face: Face, damage: Damage, rng: np.random.Generator) -> Face:
    """`face` (S,S,3) damaged: blur, downscale, noise, JPEG, upscale. Same shape and dtype."""
    side = face.shape[0]
    small_side = max(1, round(side / damage.factor))
    picture: Any = cv2.GaussianBlur(face, (0, 0), damage.blur) if damage.blur > 0 else face
    if small_side != side:
        picture = cv2.resize(picture, (small_side, small_side), interpolation=damage.down)
    picture = jpeg(noisy(picture, damage, rng), damage.quality)
    if small_side != side:
        picture = cv2.resize(picture, (side, side), interpolation=damage.up)
    return picture


def noisy(picture: Face, damage: Damage, rng: np.random.Generator) -> Face:
    """Gaussian noise added, one value for the three channels where `grey_noise`."""
    if damage.noise <= 0:
        return picture
    shape = (*picture.shape[:2], 1 if damage.grey_noise else 3)
    grain = rng.standard_normal(shape, dtype=np.float32) * damage.noise
    return np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)


def jpeg(picture: Face, quality: int | None) -> Face:
    """`picture` through JPEG with halved chroma, as most pictures in the wild have it."""
    if quality is None:
        return picture
    done, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded[:, :, ::-1])
