"""The proposer learns, and its training can be resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from portraits import small_proposer_config

from gpen_fast.errors import CheckpointError
from gpen_fast.training.convolutions import published_form
from gpen_fast.training.proposer.canvases import CanvasBatch, CanvasSamples, read_canvas_sources
from gpen_fast.training.proposer.task import (
    ProposerTrainer,
    initial_proposer,
    proposal_loss,
    read_proposer_state,
)

CPU = torch.device("cpu")


def test_a_resumed_run_equals_an_uninterrupted_one(portraits: Path, tmp_path: Path) -> None:
    config = small_proposer_config()
    samples = CanvasSamples(read_canvas_sources(portraits, "train", config.crop), config, config.batch)

    def stepped(trainer: ProposerTrainer, steps: int) -> ProposerTrainer:
        for _ in range(steps):
            trainer.step()
        return trainer

    unbroken = stepped(ProposerTrainer(config, samples, CPU), 4)
    stepped(ProposerTrainer(config, samples, CPU), 2).save(tmp_path / "state.pt")
    resumed = ProposerTrainer(config, samples, CPU)
    resumed.resume(tmp_path / "state.pt")
    stepped(resumed, 2)
    picture = torch.rand(1, 1, 64, 64) * 255
    assert torch.equal(published_form(unbroken.average)(picture), published_form(resumed.average)(picture))
    assert torch.equal(
        read_proposer_state(tmp_path / "state.pt")(picture),
        read_proposer_state(tmp_path / "state.pt")(picture),
    )


def test_training_helps() -> None:
    """Two pictures are memorised: a place proposes the right window, and no other place does."""
    network = initial_proposer(small_proposer_config())
    pictures = torch.from_numpy(np.random.default_rng(3).uniform(0, 255, (2, 1, 64, 64))).float()
    label, wanted = torch.zeros(2, 8, 8), torch.zeros(2, 4, 8, 8)
    label[0, 4, 3], label[1, 2, 2] = 1, -1
    wanted[0, :, 4, 3] = torch.tensor([0.1, -0.1, 1.0, 0.2])
    batch = CanvasBatch(pictures, label, wanted)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        loss = proposal_loss(network(pictures), batch, 1.0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    with torch.no_grad():
        values = network(pictures)
    assert values[:, 0].argmax() == 4 * 8 + 3
    assert torch.allclose(values[0, 1:, 4, 3], wanted[0, :, 4, 3], atol=0.1)


def test_a_place_that_counts_neither_way_has_no_gradient() -> None:
    values = torch.zeros(1, 5, 2, 2, requires_grad=True)
    label = torch.tensor([[[1.0, -1.0], [0.0, 0.0]]])
    proposal_loss(values, CanvasBatch(torch.zeros(1), label, torch.ones(1, 4, 2, 2)), 1.0).backward()
    assert values.grad is not None
    assert values.grad[0, 0, 0, 1] == 0
    assert values.grad[0, 0, 0, 0] < 0 < values.grad[0, 0, 1, 0]
    assert (values.grad[0, 1:, 1] == 0).all(), "no window where there is no face"
    assert (values.grad[0, 1:, 0, 0] < 0).all()


def test_a_state_of_a_generator_is_refused(tmp_path: Path) -> None:
    torch.save({"g_ema": {"final_linear.0.weight": torch.ones(1)}}, tmp_path / "state.pt")
    with pytest.raises(CheckpointError, match=r"state\.pt: not a training state of a proposer"):
        read_proposer_state(tmp_path / "state.pt")
