"""The landmark network learns, and its training can be resumed and shared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from portraits import small_faces, small_landmark_config

from gpen_fast.errors import CheckpointError
from gpen_fast.stages.detect.cascade.landmark_net import TEMPLATE, LandmarkNet
from gpen_fast.training.convolutions import published_form
from gpen_fast.training.landmarks.samples import WindowSamples, read_sources
from gpen_fast.training.landmarks.task import (
    LandmarkTask,
    LandmarkTrainer,
    landmark_loss,
    read_landmark_state,
)
from gpen_fast.training.run import TrainingRun, train


def test_a_resumed_run_equals_an_uninterrupted_one(portraits: Path, tmp_path: Path) -> None:
    config = small_landmark_config()
    samples = WindowSamples(read_sources(portraits, config), config, config.batch)

    def stepped(trainer: LandmarkTrainer, steps: int) -> LandmarkTrainer:
        for _ in range(steps):
            trainer.step()
        return trainer

    cpu = torch.device("cpu")
    unbroken = stepped(LandmarkTrainer(config, samples, cpu), 4)
    stepped(LandmarkTrainer(config, samples, cpu), 2).save(tmp_path / "state.pt")
    resumed = LandmarkTrainer(config, samples, cpu)
    resumed.resume(tmp_path / "state.pt")
    stepped(resumed, 2)
    windows = torch.rand(2, 1, 64, 64) * 255
    wanted, got = published_form(unbroken.average)(windows), published_form(resumed.average)(windows)
    assert torch.equal(wanted[0], got[0])
    assert torch.equal(wanted[1], got[1])


def test_two_processes_train_one_network(portraits: Path, tmp_path: Path) -> None:
    state = train(
        TrainingRun(LandmarkTask(small_landmark_config(steps=1)), portraits, tmp_path / "two", processes=2),
        lambda what: None,
    )
    assert torch.load(state, weights_only=True)["step"] == 1


def test_training_helps() -> None:
    """Two windows are memorised: the landmarks move to their places, and the face scores above the other."""
    torch.manual_seed(4)
    network = LandmarkNet((4, 8, 8, 8), normalised=True).train()
    windows = torch.from_numpy(small_faces(2, 64)[..., :1]).permute(0, 3, 1, 2).float()
    points = torch.from_numpy(np.stack([TEMPLATE, TEMPLATE * 0])).float()
    face = torch.tensor([1.0, 0.0])
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = landmark_loss(*network(windows), points, face, 10.0)
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
    with pytest.raises(CheckpointError, match=r"state\.pt: not a training state of a landmark network"):
        read_landmark_state(tmp_path / "state.pt")
