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
from gpen_fast.training.degrade import DamageRanges, degrade, draw_damage

TRAIN, HELD_OUT = "train", "held-out"


@dataclass(frozen=True)
class Portrait:
    """One row of the manifest."""

    file: str
    """Its file name in the folder."""

    kind: str
    """Where it comes from: `staff` shows people who are no public officials and must not be published."""

    person: str
    """Who it shows: the same word for the same person."""

    scale: float
    """Pixels of the crop for each pixel of the original picture, at a crop of 256 pixels."""

    landmarks: NDArray[np.float32]
    """(5,2), pixels of the crop: eyes, nose, mouth corners."""


def read_manifest(folder: Path, split: str) -> list[Portrait]:
    """Reads the rows of one split from a folder's `manifest.csv`.

    Args:
        folder: The training folder.
        split: `TRAIN` or `HELD_OUT`.

    Raises:
        InputsError: There is no manifest, or it has no row of that split.
    """
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
    """Reads the pictures of portraits.

    Args:
        folder: The training folder.
        portraits: Rows of its manifest.
        size: Side of the faces in pixels.

    Returns:
        (N,S,S,3) RGB uint8.

    Raises:
        InputsError: A picture is missing, cannot be read, or has another size.
    """
    faces = np.empty((len(portraits), size, size, 3), np.uint8)
    for face, portrait in zip(faces, portraits, strict=True):
        picture = cv2.imread(str(folder / portrait.file), cv2.IMREAD_COLOR)
        if picture is None or picture.shape != (size, size, 3):
            came = "not readable" if picture is None else f"{picture.shape[1]}x{picture.shape[0]} pixels"
            raise InputsError(f"{folder / portrait.file}: {came}, accepted are {size}x{size} pixels.")
        face[:] = picture[:, :, ::-1]
    return faces


def faces_to_network(faces: NDArray[np.uint8]) -> Tensor:
    """Converts (N,S,S,3) uint8 faces to the network's (N,3,S,S) float32 in [-1,1]."""
    return colour.to_network(torch.from_numpy(faces).permute(0, 3, 1, 2))


@dataclass(frozen=True)
class Pairs:
    """An endless stream of batches of damaged and undamaged faces.

    Batch n depends on the seed and on n alone, so a resumed run receives the batches of an uninterrupted one.
    """

    faces: NDArray[np.uint8]
    """(N,S,S,3) RGB: the portraits."""

    batch: int
    """Faces in a batch."""

    seed: int
    """Decides every random choice."""

    ranges: DamageRanges
    """How faces are damaged."""

    variety: Variety
    """How faces are varied."""

    def at(self, step: int, rank: int = 0) -> tuple[Tensor, Tensor]:
        """Returns one batch.

        Args:
            step: The number of the step.
            rank: The number of the process; each has batches of its own.

        Returns:
            The damaged and the undamaged faces, each (B,3,S,S) float32 in [-1,1].
        """
        rng = np.random.default_rng([self.seed, rank, step])
        pairs = [self._pair(rng) for _ in range(self.batch)]
        damaged, wanted = (np.stack(side) for side in zip(*pairs, strict=True))
        return faces_to_network(damaged), faces_to_network(wanted)

    def _pair(self, rng: np.random.Generator) -> tuple[Face, Face]:
        one, other = rng.integers(0, len(self.faces), 2)
        wanted = augment(self.faces[one], self.faces[other], rng, self.variety)
        return degrade(wanted, draw_damage(rng, self.ranges), rng), wanted
