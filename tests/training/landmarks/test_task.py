"""Landmark runs, as `python -m gpen_fast.training landmarks` does them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from portraits import POINTS, SIZE, small_faces, small_landmark_config
from typer.testing import CliRunner

from gpen_fast.errors import CheckpointError, SettingsError
from gpen_fast.gpen.checkpoint import read_declared
from gpen_fast.stages.detect.cascade.landmark_net import TEMPLATE, LandmarkNet, read_net
from gpen_fast.training.__main__ import app
from gpen_fast.training.landmarks.config import read_config
from gpen_fast.training.landmarks.metrics import error, rolled, upright, usable
from gpen_fast.training.landmarks.samples import Samples, stock
from gpen_fast.training.landmarks.task import Trainer, loss_of, read_state
from gpen_fast.training.run import LOG, STATE, Run, train

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


def command(*arguments: object) -> str:
    told = ["landmarks", *(str(each) for each in arguments)]
    result = CliRunner().invoke(app, told, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_run_from_portraits_to_a_published_file(portraits: Path, config: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "run", tmp_path / "net.safetensors"
    told = ("--data", portraits, "--out", out, "--config", config, "--device", "cpu")
    said = command("train", *told)
    assert "step 1 " in said
    assert "roll 30: " in said
    assert [json.loads(line)["step"] for line in (out / LOG).read_text().splitlines()] == [1, 2]
    config.write_text(TOML.replace("steps = 2", "steps = 3"))
    assert "step 1 " not in (more := command("train", *told))
    assert "step 3 " in more
    assert "kB" in command("export", out / STATE, file)
    assert read_declared(file) == {"name": "landmarks-lite", "licence": "MIT"}
    windows = torch.rand(3, 1, 64, 64) * 255
    for ours, theirs in zip(read_net(file)(windows), read_state(out / STATE)(windows), strict=True):
        assert torch.allclose(ours, theirs, atol=2e-2)
    command("test", file, "--data", portraits, "--crop", SIZE, "--json", tmp_path / "table.json")
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["roll"] for row in rows] == [0, 15, 30]
    assert all(row["mean"] > 0 for row in rows)


def test_the_sheet_shows_windows_and_landmarks(portraits: Path, config: Path, tmp_path: Path) -> None:
    command("sheet", tmp_path / "sheet.png", "--data", portraits, "--config", config)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (16 * 96, 10 * 96)
        assert (np.asarray(sheet) == (0, 255, 0)).all(axis=2).sum() > 96, "faces have a bar on top"


def test_a_resumed_run_is_the_unbroken_run(portraits: Path, tmp_path: Path) -> None:
    config = small_landmark_config()
    samples = Samples(stock(portraits, config), config, config.batch)

    def stepped(trainer: Trainer, steps: int) -> Trainer:
        for _ in range(steps):
            trainer.step()
        return trainer

    cpu = torch.device("cpu")
    unbroken = stepped(Trainer(config, samples, cpu), 4)
    stepped(Trainer(config, samples, cpu), 2).save(tmp_path / "state.pt")
    resumed = Trainer(config, samples, cpu)
    resumed.resume(tmp_path / "state.pt")
    stepped(resumed, 2)
    windows = torch.rand(2, 1, 64, 64) * 255
    wanted, got = usable(unbroken.average)(windows), usable(resumed.average)(windows)
    assert torch.equal(wanted[0], got[0])
    assert torch.equal(wanted[1], got[1])


def test_two_processes_train_one_network(portraits: Path, tmp_path: Path) -> None:
    state = train(
        Run(small_landmark_config(steps=1), portraits, tmp_path / "two", processes=2), lambda what: None
    )
    assert torch.load(state, weights_only=True)["step"] == 1


def test_training_helps() -> None:
    """Two windows learnt by heart: the points come nearer and the face is told from the other."""
    torch.manual_seed(4)
    network = LandmarkNet((4, 8, 8, 8), normalised=True).train()
    windows = torch.from_numpy(small_faces(2, 64)[..., :1]).permute(0, 3, 1, 2).float()
    points = torch.from_numpy(np.stack([TEMPLATE, TEMPLATE * 0])).float()
    face = torch.tensor([1.0, 0.0])
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = loss_of(*network(windows), points, face, 10.0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    with torch.no_grad():
        found, logits = network(windows)
    assert (found[0] - points[0]).norm(dim=1).mean() < 0.05
    assert logits[0] > 0 > logits[1]


def test_a_state_of_a_generator_is_refused(tmp_path: Path) -> None:
    torch.save({"g_ema": {"final_linear.0.weight": torch.ones(1)}}, tmp_path / "state.pt")
    with pytest.raises(CheckpointError, match=r"state\.pt: is no state of a landmark network"):
        read_state(tmp_path / "state.pt")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\nsteps = 9\n[optimiser]\ncooling = 0\n", "run.toml: cooling 0: accepted is above 0"),
        ("[run]\nsteps = 9\nbatch = 1\n", "run.toml: steps 9, batch 1: accepted are 1, and 2 and up"),
    ],
)
def test_figures_that_cannot_be_trained_with_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_config(path)


def test_errors_are_over_the_eye_distance() -> None:
    points = np.array(POINTS.split(), dtype=np.float64).reshape(5, 2)
    assert error(points + np.array([0, 2]), points) == pytest.approx(2 / 8)
    turned, there = rolled(small_faces(1)[0], points, 20)
    assert turned.shape == (SIZE, SIZE, 3)
    assert np.linalg.norm(there[1] - there[0]) == pytest.approx(8)
    assert there[1, 1] < there[0, 1], "positive degrees turn left"
    level = upright(there)
    assert level[0, 1] == pytest.approx(level[1, 1])
    assert np.allclose(level.mean(axis=0), there.mean(axis=0))
