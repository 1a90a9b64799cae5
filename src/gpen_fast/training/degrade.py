"""Damage for blind restoration of aligned faces: blur, downscale, noise, JPEG, upscale.

The model of "GAN Prior Embedded Network for Blind Face Restoration in the Wild" (Yang et al., 2021), section 4.1,
except that the blur grows with the downscale factor, as the antialiasing of a poor camera does. Faces are (S,S,3) RGB
uint8; results have the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Face = NDArray[np.uint8]

# OpenCV's numbers of its interpolations: a training on a machine without OpenCV draws damage too.
LINEAR, CUBIC, AREA, LANCZOS = 1, 2, 3, 4
# Interpolations that viewers and scanners use, the common ones twice.
_UP = (CUBIC, CUBIC, LINEAR, LANCZOS)
_DOWN = (CUBIC, CUBIC, LINEAR, AREA)


@dataclass(frozen=True)
class Damage:
    """The damage of one face."""

    factor: float
    """Downscale factor, 1 and up."""

    blur: float
    """Sigma of the Gaussian blur in pixels of the full-size face; 0 for no blur."""

    noise: float
    """Sigma of the Gaussian noise on the downscaled face, of 255; 0 for no noise."""

    quality: int | None
    """JPEG quality, 1 to 100; None for no JPEG."""

    down: int = CUBIC
    """OpenCV's interpolation of the downscale."""

    up: int = CUBIC
    """OpenCV's interpolation of the upscale."""

    grey_noise: bool = False
    """The three channels have the same noise."""


@dataclass(frozen=True)
class DamageRanges:
    """Ranges that random damage is drawn from, each (least, most). The table [damage] of a run's TOML."""

    factor: tuple[float, float] = (1.0, 8.0)
    """Downscale factors, drawn on a logarithmic scale."""

    blur: tuple[float, float] = (0.2, 0.6)
    """Blur sigmas, as parts of the downscale factor."""

    noise: tuple[float, float] = (0.0, 15.0)
    """Noise sigmas, of 255."""

    quality: tuple[int, int] = (35, 95)
    """JPEG qualities."""

    typical: float = 0.5
    """Probability of typical damage: a bicubic downscale with its own blur, moderate noise, moderate JPEG."""


_TYPICAL = DamageRanges(blur=(0.3, 0.37), noise=(3.0, 7.0), quality=(65, 85))


def draw_damage(rng: np.random.Generator, ranges: DamageRanges) -> Damage:
    """Returns random damage within the ranges."""
    typical = rng.random() < ranges.typical
    chosen = _TYPICAL if typical else ranges
    low, high = ranges.factor
    factor = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return Damage(
        factor,
        blur=factor * rng.uniform(*chosen.blur),
        noise=rng.uniform(*chosen.noise),
        quality=int(rng.integers(chosen.quality[0], chosen.quality[1] + 1)),
        down=CUBIC if typical else int(rng.choice(_DOWN)),
        up=CUBIC if typical else int(rng.choice(_UP)),
        grey_noise=not typical and bool(rng.random() < 0.3),
    )


def held_out_damage(factor: float) -> Damage:
    """Returns the damage of the held-out test: blur of factor/3, noise of 5, JPEG of quality 75, bicubic both ways."""
    return Damage(factor, blur=factor / 3, noise=5.0, quality=75)


def degrade(face: Face, damage: Damage, rng: np.random.Generator) -> Face:
    """Damages a face.

    Args:
        face: (S,S,3) RGB uint8.
        damage: How strongly.
        rng: The source of the noise.

    Returns:
        (S,S,3) RGB uint8.
    """
    import cv2

    side = face.shape[0]
    small_side = max(1, round(side / damage.factor))
    # (S,S,3): blurred.
    picture = cv2.GaussianBlur(face, (0, 0), damage.blur) if damage.blur > 0 else face
    # (s,s,3): downscaled, where s is S / factor.
    if small_side != side:
        picture = cv2.resize(picture, (small_side, small_side), interpolation=damage.down)
    # (s,s,3): with noise, then through JPEG.
    picture = _through_jpeg(_with_noise(np.asarray(picture, np.uint8), damage, rng), damage.quality)
    # (S,S,3): upscaled.
    if small_side != side:
        picture = np.asarray(cv2.resize(picture, (side, side), interpolation=damage.up), np.uint8)
    return picture


def _with_noise(picture: Face, damage: Damage, rng: np.random.Generator) -> Face:
    if damage.noise <= 0:
        return picture
    shape = (*picture.shape[:2], 1 if damage.grey_noise else 3)
    grain = rng.standard_normal(shape, dtype=np.float32) * damage.noise
    return np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)


def _through_jpeg(picture: Face, quality: int | None) -> Face:
    """The picture after JPEG with halved chroma, which most cameras and programs write."""
    if quality is None:
        return picture
    import cv2

    done, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[:, :, ::-1])
