"""A training folder of small faces with a manifest, and configs of runs that take a second."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.training.__main__ import app
from gpen_fast.training.config import AdversaryConfig, OptimiserConfig, RestorationConfig
from gpen_fast.training.data import Pairs
from gpen_fast.training.landmarks.config import LandmarkConfig, LandmarkNetConfig, WindowConfig
from gpen_fast.training.proposer.config import CanvasConfig, ProposerConfig, ProposerNetConfig
from gpen_fast.training.restoring import RestorationTrainer

SIZE = 32
SMALL = GeneratorConfig(SIZE, style_dim=16, n_mlp=2, widths=(8, 8, 8, 6))
POINTS = "12 15 20 15 16 20 13 23 19 23"


def small_config(**changes: object) -> RestorationConfig:
    given = {"network": SMALL, "steps": 4, "batch": 2, "precision": "fp32", "save_every": 2, "test_every": 4}
    return RestorationConfig(**{**given, "optimiser": OptimiserConfig(warmup=1), **changes})  # type: ignore[arg-type]


def with_adversary(**changes: object) -> RestorationConfig:
    return small_config(adversary=AdversaryConfig(start=1, width=4, r1_every=2), **changes)


def small_landmark_config(**changes: object) -> LandmarkConfig:
    """A run without mined windows, since mining takes a minute."""
    given = {"steps": 4, "batch": 6, "crop": SIZE, "save_every": 2, "test_every": 4, **changes}
    shape, windows = LandmarkNetConfig((4, 6, 8, 8)), WindowConfig(mined=0.0)
    return LandmarkConfig(
        **{"network": shape, "windows": windows, "optimiser": OptimiserConfig(warmup=1), **given}
    )  # type: ignore[arg-type]


def small_proposer_config(**changes: object) -> ProposerConfig:
    """A run on pictures of 64 pixels."""
    given = {"steps": 4, "batch": 4, "crop": SIZE, "save_every": 2, "test_every": 4, **changes}
    return ProposerConfig(
        **{
            "network": ProposerNetConfig((4, 6, 8)),
            "canvas": CanvasConfig(side=64),
            "optimiser": OptimiserConfig(warmup=1),
            **given,
        }
    )  # type: ignore[arg-type]


def small_faces(number: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Returns (N,S,S,3) uint8: smooth blobs with noise, each of a different colour."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (number, 4, 4, 3)).astype(np.float32)
    faces = np.stack([cv2.resize(face, (size, size), interpolation=cv2.INTER_CUBIC) for face in coarse])
    return np.clip(faces + rng.normal(0, 6, faces.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """Eight training faces and four held-out ones, one of which must not be shown."""
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


def restoration_trainer(config: RestorationConfig) -> RestorationTrainer:
    """A trainer of the generator on six small faces, before its first step."""
    pairs = Pairs(small_faces(6), config.batch, config.seed, config.damage, config.variety)
    return RestorationTrainer(config, pairs, torch.device("cpu"))


def stepped(config: RestorationConfig, steps: int) -> RestorationTrainer:
    """The same trainer after some steps."""
    trainer = restoration_trainer(config)
    for _ in range(steps):
        trainer.step()
    return trainer


def weights_of(network: torch.nn.Module) -> torch.Tensor:
    """All parameters of a network in one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def training_command(*arguments: object) -> str:
    """Runs `python -m gpen_fast.training`, asserts that it succeeds, and returns what it prints."""
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output
