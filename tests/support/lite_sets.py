"""Sets of small faces with the manifest that the wider sets have."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import torch
from PIL import Image
from portraits import POINTS, SIZE, small_faces

from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.training.config import AdversaryConfig, OptimiserConfig
from gpen_fast.training.lite.old import OldPhotograph
from gpen_fast.training.lite.recipe import LiteRecipe
from gpen_fast.training.lite.trainer import LiteTask, LiteTrainer

HEAD = ["file", "kind", "person", "licence", "basis", "source", "scale", "landmarks", "split"]
LITE = GeneratorConfig(SIZE, style_dim=16, n_mlp=2, widths=(8, 8, 8, 6))


def write_set(
    folder: Path, rows: Iterable[tuple[str, str, str, str]], licence: str = "CC0-1.0", basis: str = "x"
) -> Path:
    """Writes a set. Rows are (repository, person, picture in the repository, split)."""
    folder.mkdir(parents=True)
    faces = small_faces(4)
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for i, (repository, person, picture, split) in enumerate(rows):
            Image.fromarray(faces[i % 4]).save(folder / f"{i}.png", compress_level=1)
            source = f"github:{repository} {picture}"
            writer.writerow([f"{i}.png", "main", person, licence, basis, source, "0.5", POINTS, split])
    return folder


def two_sets(tmp_path: Path) -> list[Path]:
    """A first set that holds two faces out, and a wider one of eight faces, whose manifest holds none out."""
    first = [("a/a", f"p{i}", f"{i}.jpg", "held-out" if i > 3 else "train") for i in range(6)]
    wider = [("b/b", f"q{i}", f"{i}.jpg", "train") for i in range(8)]
    return [write_set(tmp_path / "first", first), write_set(tmp_path / "wider", wider)]


def small_recipe(**changes: object) -> LiteRecipe:
    """A run of a second on sets of `two_sets`, with every loss and the adversary."""
    given = {"network": LITE, "steps": 6, "batch": 2, "precision": "fp32", "save_every": 2, "test_every": 6}
    adversary = AdversaryConfig(start=3, width=4, r1_every=2)
    given |= {"optimiser": OptimiserConfig(warmup=1), "adversary": adversary, "old": OldPhotograph(grain=0.5)}
    return LiteRecipe(**{**given, **changes})  # type: ignore[arg-type]


def lite_trainer(folders: list[Path], **changes: object) -> LiteTrainer:
    """The trainer of `small_recipe` before its first step."""
    return LiteTask(small_recipe(**changes), tuple(folders[1:])).open(folders[0], 1, torch.device("cpu"), 0)
