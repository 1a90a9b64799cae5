"""The portraits: a folder of aligned square faces and its manifest.csv, kept decoded in memory."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.errors import InputsError
from gpen_fast.image import colour
from gpen_fast.training.augment import Face, Variety, augment
from gpen_fast.training.degrade import Ranges, degrade, drawn

TRAIN, HELD_OUT = "train", "held-out"


@dataclass(frozen=True)
class Portrait:
    """One row of the manifest. landmarks: (5,2) float32, pixels of the crop, eyes, nose, mouth corners."""

    file: str
    kind: str
    person: str
    scale: float
    landmarks: NDArray[np.float32]


def read_manifest(folder: Path, split: str) -> list[Portrait]:
    """The rows of `manifest.csv` whose split is `split`. Raises InputsError where there are none."""
    path = folder / "manifest.csv"
    if not path.is_file():
        raise InputsError(f"{path}: no such file. A training folder holds aligned faces and manifest.csv.")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [_portrait(row) for row in csv.DictReader(file) if row["split"] == split]
    if not rows:
        raise InputsError(f"{path}: no row has the split {split!r}. Accepted are {TRAIN!r} and {HELD_OUT!r}.")
    return rows


def _portrait(row: dict[str, str]) -> Portrait:
    points = np.array(row["landmarks"].split(), dtype=np.float32).reshape(5, 2)
    return Portrait(row["file"], row["kind"], row["person"], float(row["scale"]), points)


def read_faces(folder: Path, portraits: list[Portrait], size: int) -> NDArray[np.uint8]:
    """(N,S,S,3) RGB uint8. Raises InputsError for a picture that is missing or of another size."""
    faces = np.empty((len(portraits), size, size, 3), np.uint8)
    for face, portrait in zip(faces, portraits, strict=True):
        picture = cv2.imread(str(folder / portrait.file), cv2.IMREAD_COLOR)
        if picture is None or picture.shape != (size, size, 3):
            came = "nothing readable" if picture is None else f"{picture.shape[1]}x{picture.shape[0]}"
            raise InputsError(f"{folder / portrait.file}: {came}, and {size}x{size} is wanted.")
        face[:] = picture[:, :, ::-1]
    return faces


def to_network(faces: NDArray[np.uint8]) -> Tensor:
    """(N,S,S,3) uint8 to (N,3,S,S) float32 in [-1,1]."""
    return colour.to_network(torch.from_numpy(faces).permute(0, 3, 1, 2))


@dataclass(frozen=True)
class Pairs:
    """An endless stream of (damaged, wanted) batches, each (B,3,S,S) float32 in [-1,1].

    The n-th batch depends on (seed, n) alone, so that a resumed run sees what an unbroken one would have seen.
    """

    faces: NDArray[np.uint8]
    batch: int
    seed: int
    ranges: Ranges
    variety: Variety

    def at(self, step: int, rank: int = 0) -> tuple[Tensor, Tensor]:
        """Batch `step` of worker `rank`."""
        rng = np.random.default_rng([self.seed, rank, step])
        pairs = [self._pair(rng) for _ in range(self.batch)]
        damaged, wanted = (np.stack(side) for side in zip(*pairs, strict=True))
        return to_network(damaged), to_network(wanted)

    def _pair(self, rng: np.random.Generator) -> tuple[Face, Face]:
        one, other = rng.integers(0, len(self.faces), 2)
        wanted = augment(self.faces[one], self.faces[other], rng, self.variety)
        return degrade(wanted, drawn(rng, self.ranges), rng), wanted
