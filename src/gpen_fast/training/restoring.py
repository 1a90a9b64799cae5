"""Training of the generator: its loop, its data, and what is looked at on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gpen_fast.gpen.folded.generator import DTYPES
from gpen_fast.training.adversary import Adversary
from gpen_fast.training.config import Config
from gpen_fast.training.data import HELD_OUT, TRAIN, Pairs, read_faces, read_manifest
from gpen_fast.training.forward import restored
from gpen_fast.training.initial import near_identity
from gpen_fast.training.loop import Loop
from gpen_fast.training.losses import energy_loss, pixel_loss
from gpen_fast.training.metrics import Row, held_out_table

# Faces of the held-out split that are looked at while training; the whole split is for the final table.
_EVALUATED = 40


class Trainer(Loop):
    """The generator's steps."""

    def __init__(self, config: Config, pairs: Pairs, device: torch.device, rank: int = 0) -> None:
        super().__init__(near_identity(config.network, config.seed), config, device)
        self.config, self.pairs, self.rank = config, pairs, rank
        self.adversary = Adversary(config, device) if config.adversarial else None

    def step(self) -> float:
        """One batch; returns its pixel loss."""
        damaged, wanted = (each.to(self.device) for each in self.pairs.at(self.done, self.rank))
        output = restored(self.network, damaged, DTYPES[self.config.precision])
        pixels = pixel_loss(output, wanted, self.config.loss.scales, self.config.loss.gradient)
        loss = pixels + self.config.loss.energy * energy_loss(output, wanted, damaged)
        adversary = self.adversary if self.done >= self.config.adversary.start else None
        self.update(loss if adversary is None else loss + adversary.loss_of(output, wanted))
        if adversary is not None:
            adversary.step(output, wanted, self.done)
        return self.counted(pixels.item())

    def state_dict(self) -> dict[str, Any]:
        """The discriminator's too."""
        return {**super().state_dict(), "rival": self.adversary.state_dict() if self.adversary else {}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        super().load_state_dict(state)
        if self.adversary and state["rival"]:
            self.adversary.load_state_dict(state["rival"])


def opened(config: Config, data: Path, share: int, device: torch.device, rank: int) -> Trainer:
    """A run's beginning in one of `share` processes."""
    faces = read_faces(data, read_manifest(data, TRAIN), config.network.size)
    pairs = Pairs(faces, config.batch // share, config.seed, config.damage, config.variety)
    return Trainer(config, pairs, device, rank)


def evaluate(data: Path, trainer: Trainer) -> list[Row]:
    """The held-out test on some of the faces."""
    config = trainer.config
    portraits = read_manifest(data, HELD_OUT)
    faces = read_faces(data, portraits[:: max(1, len(portraits) // _EVALUATED)], config.network.size)

    def network(some: Tensor) -> Tensor:
        with torch.no_grad():
            return restored(trainer.average, some.to(trainer.device), DTYPES[config.precision])

    return held_out_table(network, faces)
