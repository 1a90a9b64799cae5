"""The generator's training lowers the error, and its adversarial phase starts on time."""

from __future__ import annotations

from pathlib import Path

import torch
from portraits import (
    restoration_trainer,
    small_config,
    stepped,
    weights_of,
    with_adversary,
)

from gpen_fast.gpen import load_network
from gpen_fast.training.augment import Variety
from gpen_fast.training.config import OptimiserConfig
from gpen_fast.training.degrade import DamageRanges
from gpen_fast.training.forward import training_forward
from gpen_fast.training.restoring import RestorationTask


def test_training_helps() -> None:
    calm = Variety(mirror=0, warped=0, light=0, colour=0, grey=0, occlusion=0)
    config = small_config(
        steps=30,
        variety=calm,
        damage=DamageRanges((4, 4), typical=1),
        optimiser=OptimiserConfig(rate=1e-2, warmup=5),
    )
    made = restoration_trainer(config)
    damaged, wanted = made.pairs.at(999)
    before = (training_forward(made.network, damaged, torch.float32) - wanted).abs().mean()
    for _ in range(30):
        made.step()
    after = (training_forward(made.average, damaged, torch.float32) - wanted).abs().mean()
    assert after < 0.9 * before


def test_the_second_phase_starts_when_it_should_and_trains_both() -> None:
    config = with_adversary()
    made = restoration_trainer(config)
    assert made.adversary is not None
    first = weights_of(made.adversary.discriminator)
    made.step()
    assert torch.equal(first, weights_of(made.adversary.discriminator))
    plain = stepped(small_config(), 1)
    assert torch.equal(weights_of(made.network), weights_of(plain.network))
    made.step(), plain.step()
    assert not torch.equal(first, weights_of(made.adversary.discriminator))
    assert not torch.equal(weights_of(made.network), weights_of(plain.network))


def test_a_state_is_a_checkpoint_whose_average_is_used(tmp_path: Path) -> None:
    made = stepped(with_adversary(), 3)
    made.save(tmp_path / "state.pt")
    faces = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(load_network(tmp_path / "state.pt")(faces), made.average(faces), atol=1e-5)


def test_the_held_out_test_uses_the_averaged_network(portraits: Path) -> None:
    task = RestorationTask(small_config())
    trainer = task.open(portraits, 1, torch.device("cpu"), 0)
    before = task.evaluate(portraits, trainer)
    next(trainer.network.parameters()).data.fill_(float("nan"))
    assert task.evaluate(portraits, trainer) == before
    assert [row.factor for row in before] == [1.5, 3.0, 4.0, 6.0]


def test_processes_share_the_batch_of_a_step(portraits: Path) -> None:
    task = RestorationTask(small_config(batch=4))
    cpu = torch.device("cpu")
    damaged = [task.open(portraits, 2, cpu, rank).pairs.at(0, rank)[0] for rank in (0, 1)]
    assert [len(each) for each in damaged] == [2, 2]
    assert not torch.equal(*damaged)
