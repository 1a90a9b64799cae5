"""Folders of numbered pictures, and runs of them that are stopped."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from clips import clip_pixels
from PIL import Image


def write_frames(folder: Path, count: int, height: int = 120, first: int = 8, suffix: str = ".png") -> Path:
    """Pictures of a face under motion, `shot_0008.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(clip_pixels("pan", count, height, noise=2.0)):
        Image.fromarray(pixels).save(folder / f"shot_{first + number:04d}{suffix}")
    return folder


def write_deep_frames(folder: Path, count: int) -> Path:
    """The same with 16 bits and alpha."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(clip_pixels("pan", count, 120)):
        deep = pixels[..., ::-1].astype(np.uint16) * 257 + 3
        alpha = np.full(pixels.shape[:2], 40000 + number, np.uint16)
        cv2.imwrite(str(folder / f"f{number}.png"), np.dstack([deep, alpha]))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its name."""
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir()) if each.is_file()}


def pixels_of(paths: Sequence[Path]) -> list[np.ndarray]:
    """Pictures as they lie in their files, of any depth."""
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths]


class StopsAfter:
    """Progress that stops the run after some frames."""

    def __init__(self, frames: int) -> None:
        self.stopped = threading.Event()
        self.begun: list[tuple[int, int]] = []
        self._left = frames

    def begin(self, name: Path, frames: int, done: int) -> None:
        self.begun.append((frames, done))

    def frame(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.stopped.set()

    def end(self, row: object) -> None: ...
