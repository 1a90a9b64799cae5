"""Landmark runs, as `python -m gpen_fast.training landmarks` does them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from portraits import SIZE, training_command

from gpen_fast.gpen.checkpoint import read_declared
from gpen_fast.stages.detect.cascade.landmark_net import read_net
from gpen_fast.training.landmarks.task import (
    read_landmark_state,
)
from gpen_fast.training.run import LOG, STATE

TOML = f"""
[network]
widths = [4, 6, 8, 8]
[run]
steps = 2
batch = 6
crop = {SIZE}
save_every = 1
test_every = 2
[windows]
mined = 0.0
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(TOML)
    return path


def test_a_run_from_portraits_to_a_published_file(portraits: Path, config: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "run", tmp_path / "net.safetensors"
    told = ("--data", portraits, "--out", out, "--config", config, "--device", "cpu")
    said = training_command("landmarks", "train", *told)
    assert "step 1 " in said
    assert "roll 30: " in said
    assert [json.loads(line)["step"] for line in (out / LOG).read_text().splitlines()] == [1, 2]
    config.write_text(TOML.replace("steps = 2", "steps = 3"))
    assert "step 1 " not in (more := training_command("landmarks", "train", *told))
    assert "step 3 " in more
    assert "kB" in training_command("landmarks", "export", out / STATE, file)
    assert read_declared(file) == {"name": "landmarks-lite", "licence": "MIT"}
    windows = torch.rand(3, 1, 64, 64) * 255
    for ours, theirs in zip(read_net(file)(windows), read_landmark_state(out / STATE)(windows), strict=True):
        assert torch.allclose(ours, theirs, atol=2e-2)
    training_command(
        "landmarks", "test", file, "--data", portraits, "--crop", SIZE, "--json", tmp_path / "table.json"
    )
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["roll"] for row in rows] == [0, 15, 30]
    assert all(row["mean"] > 0 for row in rows)


def test_the_sheet_shows_windows_and_landmarks(portraits: Path, config: Path, tmp_path: Path) -> None:
    training_command("landmarks", "sheet", tmp_path / "sheet.png", "--data", portraits, "--config", config)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (16 * 96, 10 * 96)
        assert (np.asarray(sheet) == (0, 255, 0)).all(axis=2).sum() > 96, "faces have a bar on top"
