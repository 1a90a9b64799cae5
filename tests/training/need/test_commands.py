"""`python -m gpen_fast.training need` writes numbers that the package reads."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import torch
from portraits import POINTS, small_faces, training_command

from gpen_fast.stages.need.figures import COUNT
from gpen_fast.stages.need.regressor import Regressor


def test_need_fits_a_file_of_numbers(tmp_path: Path) -> None:
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "kind", "person", "scale", "landmarks", "split"])
        for i, face in enumerate(small_faces(3, size=256)):
            cv2.imwrite(str(tmp_path / f"{i}.png"), face)
            writer.writerow([f"{i}.png", "main", f"p{i}", "0.5", POINTS, "train"])
    out = tmp_path / "need.json"
    options = ("--samples", 3, "--steps", 2, "--processes", 1)
    assert "fitted to 3 faces" in training_command("need", "--data", tmp_path, "--out", out, *options)
    assert Regressor.from_json(out.read_text())(torch.zeros(1, COUNT)).shape == (1, 6)
