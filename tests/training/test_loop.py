"""Training gets better, and goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from portraits import SMALL, small_config, small_faces, with_adversary

from gpen_fast.errors import CheckpointError
from gpen_fast.gpen import load_network
from gpen_fast.training.augment import Variety
from gpen_fast.training.config import Config, Optimiser
from gpen_fast.training.data import Pairs
from gpen_fast.training.degrade import Ranges
from gpen_fast.training.forward import restored
from gpen_fast.training.restoring import Trainer


def trainer(config: Config) -> Trainer:
    pairs = Pairs(small_faces(6), config.batch, config.seed, config.damage, config.variety)
    return Trainer(config, pairs, torch.device("cpu"))


def stepped(config: Config, steps: int) -> Trainer:
    made = trainer(config)
    for _ in range(steps):
        made.step()
    return made


def weights(of: torch.nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in of.parameters()])


def test_training_helps() -> None:
    calm = Variety(mirror=0, warped=0, light=0, colour=0, grey=0, occlusion=0)
    config = small_config(
        steps=30, variety=calm, damage=Ranges((4, 4), typical=1), optimiser=Optimiser(rate=1e-2, warmup=5)
    )
    made = trainer(config)
    damaged, wanted = made.pairs.at(999)
    before = (restored(made.network, damaged, torch.float32) - wanted).abs().mean()
    for _ in range(30):
        made.step()
    after = (restored(made.average, damaged, torch.float32) - wanted).abs().mean()
    assert after < 0.9 * before


def test_the_average_follows_the_network() -> None:
    made = stepped(small_config(), 3)
    assert not torch.equal(weights(made.average), weights(made.network))
    assert (weights(made.average) - weights(made.network)).norm() < 0.1 * weights(made.network).norm()


@pytest.mark.parametrize("config", [small_config(), with_adversary()], ids=["pixels", "adversarial"])
def test_a_resumed_run_is_the_unbroken_run(config: Config, tmp_path: Path) -> None:
    unbroken = stepped(config, 4)
    stepped(config, 2).save(tmp_path / "state.pt")
    resumed = trainer(config)
    resumed.resume(tmp_path / "state.pt")
    assert resumed.done == 2
    resumed.step(), resumed.step()
    assert torch.equal(weights(resumed.average), weights(unbroken.average))
    assert list(tmp_path.iterdir()) == [tmp_path / "state.pt"]


def test_the_second_phase_starts_when_it_should_and_trains_both() -> None:
    config = with_adversary()
    made = trainer(config)
    assert made.adversary is not None
    first = weights(made.adversary.discriminator)
    made.step()
    assert torch.equal(first, weights(made.adversary.discriminator))
    plain = stepped(small_config(), 1)
    assert torch.equal(weights(made.network), weights(plain.network))
    made.step(), plain.step()
    assert not torch.equal(first, weights(made.adversary.discriminator))
    assert not torch.equal(weights(made.network), weights(plain.network))


def test_divergence_stops_the_run() -> None:
    made = trainer(small_config())
    next(made.network.parameters()).data.fill_(float("nan"))
    with pytest.raises(CheckpointError, match=r"step 1: the loss is nan. Lower \[optimiser\] rate"):
        made.step()


def test_a_state_of_other_figures_is_refused(tmp_path: Path) -> None:
    stepped(small_config(), 1).save(tmp_path / "state.pt")
    other = type(SMALL)(32, 16, 2, (8, 8, 8, 8))
    with pytest.raises(CheckpointError, match=r"state\.pt: this run cannot go on from it"):
        trainer(small_config(network=other)).resume(tmp_path / "state.pt")


def test_a_state_is_a_checkpoint_whose_average_is_used(tmp_path: Path) -> None:
    made = stepped(with_adversary(), 3)
    made.save(tmp_path / "state.pt")
    faces = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(load_network(tmp_path / "state.pt")(faces), made.average(faces), atol=1e-5)
