"""A training loop averages its weights, resumes exactly, and stops when it diverges."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from portraits import (
    SMALL,
    restoration_trainer,
    small_config,
    stepped,
    weights_of,
    with_adversary,
)

from gpen_fast.errors import CheckpointError
from gpen_fast.training.config import RestorationConfig
from gpen_fast.training.loop import learning_rate


def test_the_average_follows_the_network() -> None:
    made = stepped(small_config(), 3)
    assert not torch.equal(weights_of(made.average), weights_of(made.network))
    assert (weights_of(made.average) - weights_of(made.network)).norm() < 0.1 * weights_of(
        made.network
    ).norm()


@pytest.mark.parametrize("config", [small_config(), with_adversary()], ids=["pixels", "adversarial"])
def test_a_resumed_run_equals_an_uninterrupted_one(config: RestorationConfig, tmp_path: Path) -> None:
    unbroken = stepped(config, 4)
    stepped(config, 2).save(tmp_path / "state.pt")
    resumed = restoration_trainer(config)
    resumed.resume(tmp_path / "state.pt")
    assert resumed.done == 2
    resumed.step(), resumed.step()
    assert torch.equal(weights_of(resumed.average), weights_of(unbroken.average))
    assert list(tmp_path.iterdir()) == [tmp_path / "state.pt"]


def test_divergence_stops_the_run() -> None:
    made = restoration_trainer(small_config())
    next(made.network.parameters()).data.fill_(float("nan"))
    with pytest.raises(CheckpointError, match=r"step 1: the loss is nan. Lower \[optimiser\] rate"):
        made.step()


def test_a_state_of_another_config_is_refused(tmp_path: Path) -> None:
    stepped(small_config(), 1).save(tmp_path / "state.pt")
    other = type(SMALL)(32, 16, 2, (8, 8, 8, 8))
    with pytest.raises(CheckpointError, match=r"state\.pt: this run cannot be resumed from it"):
        restoration_trainer(small_config(network=other)).resume(tmp_path / "state.pt")


def test_the_rate_warms_up_holds_and_cools() -> None:
    config = small_config(steps=1000)
    peak = config.optimiser.rate
    rates = [learning_rate(step, config) for step in (0, 100, 499, 750, 999)]
    assert rates[1] == rates[2] == peak
    assert peak * 0.4 < rates[3] < peak * 0.6
    assert rates[4] < peak * 0.02
    slow = small_config(steps=1000, optimiser=type(config.optimiser)(warmup=10))
    assert learning_rate(0, slow) == pytest.approx(slow.optimiser.rate / 10)
