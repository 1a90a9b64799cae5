"""A training folder: small faces with a manifest."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.training.config import Adversary, Config, Optimiser
from gpen_fast.training.landmarks.config import Config as LandmarkConfig
from gpen_fast.training.landmarks.config import Shape as LandmarkShape
from gpen_fast.training.landmarks.config import Windows

SIZE = 32
SMALL = GeneratorConfig(SIZE, style_dim=16, n_mlp=2, widths=(8, 8, 8, 6))
POINTS = "12 15 20 15 16 20 13 23 19 23"


def small_config(**changes: object) -> Config:
    given = {"network": SMALL, "steps": 4, "batch": 2, "precision": "fp32", "save_every": 2, "test_every": 4}
    return Config(**{**given, "optimiser": Optimiser(warmup=1), **changes})  # type: ignore[arg-type]


def with_adversary(**changes: object) -> Config:
    return small_config(adversary=Adversary(start=1, width=4, r1_every=2), **changes)


def small_landmark_config(**changes: object) -> LandmarkConfig:
    """Returns a small config without mining, which would take a minute."""
    given = {"steps": 4, "batch": 6, "crop": SIZE, "save_every": 2, "test_every": 4, **changes}
    shape, windows = LandmarkShape((4, 6, 8, 8)), Windows(mined=0.0)
    return LandmarkConfig(**{"network": shape, "windows": windows, "optimiser": Optimiser(warmup=1), **given})  # type: ignore[arg-type]


def small_faces(number: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Returns (N,S,S,3) uint8: smooth blobs with noise, each of a different colour."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (number, 4, 4, 3)).astype(np.float32)
    faces = np.stack([cv2.resize(face, (size, size), interpolation=cv2.INTER_CUBIC) for face in coarse])
    return np.clip(faces + rng.normal(0, 6, faces.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """Writes eight faces for training and four held-out ones, one of them of kind `staff`, which must not be shown."""
    folder = tmp_path / "portraits"
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "kind", "person", "scale", "landmarks", "split"])
        for i, face in enumerate(small_faces(12)):
            cv2.imwrite(str(folder / f"{i}.png"), face[:, :, ::-1])
            kind = "staff" if i == 9 else "main"
            writer.writerow([f"{i}.png", kind, f"p{i}", "0.5", POINTS, "train" if i < 8 else "held-out"])
    return folder
