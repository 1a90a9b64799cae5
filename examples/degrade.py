"""Writes degraded copies of this folder's portraits: blurred, small, noisy and compressed, as old photographs are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
SEED = 7


def degrade(picture: np.ndarray, factor: float, noise: float, quality: int) -> bytes:
    """Blurs, shrinks by `factor`, adds Gaussian noise and compresses as JPEG.

    `noise` is the standard deviation, on a scale of 0 to 255.
    """
    blurred = cv2.GaussianBlur(picture, (0, 0), factor / 3)
    small = cv2.resize(blurred, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng(SEED).normal(0, noise, small.shape)
    grainy = np.clip(small + grain, 0, 255).round().astype(np.uint8)
    return cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def main() -> None:
    """Writes a `-degraded.jpg` next to each portrait."""
    for name, factor in (("grace_hopper.jpg", 2.0), ("astronaut.png", 2.0)):
        picture = cv2.imread(str(HERE / name))
        target = HERE / f"{Path(name).stem}-degraded.jpg"
        target.write_bytes(degrade(picture, factor, noise=5.0, quality=60))
        print(target.name)


if __name__ == "__main__":
    main()
