"""Training of the generator: its steps, its data, and its held-out test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gpen_fast.gpen.folded.generator import DTYPES
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.training.adversary import AdversarialLoop, Adversary
from gpen_fast.training.config import RestorationConfig
from gpen_fast.training.data import HELD_OUT, TRAIN, Pairs, read_faces, read_manifest
from gpen_fast.training.forward import training_forward
from gpen_fast.training.initial import near_identity
from gpen_fast.training.losses import energy_loss, pixel_loss
from gpen_fast.training.metrics import RestorationRow, held_out_table

# Held-out faces that are tested during training, about; the command `test` uses the whole split.
_EVALUATED = 40


class RestorationTrainer(AdversarialLoop):
    """The generator's training.

    Args:
        config: The run's config.
        pairs: The batches.
        device: Where the network is trained.
        rank: The number of the process, which decides its batches.
    """

    network: FullGenerator
    average: FullGenerator

    def __init__(self, config: RestorationConfig, pairs: Pairs, device: torch.device, rank: int = 0) -> None:
        super().__init__(near_identity(config.network, config.seed), config, device)
        self.config, self.pairs, self.rank = config, pairs, rank
        self.adversary = Adversary(config, device) if config.adversarial else None

    def step(self) -> float:
        """Trains on one batch and returns its pixel loss."""
        damaged, wanted = (each.to(self.device) for each in self.pairs.at(self.done, self.rank))
        output = training_forward(self.network, damaged, DTYPES[self.config.precision])
        pixels = pixel_loss(output, wanted, self.config.loss.scales, self.config.loss.gradient)
        loss = pixels + self.config.loss.energy * energy_loss(output, wanted, damaged)
        adversary = self.adversary if self.done >= self.config.adversary.start else None
        self.update(loss if adversary is None else loss + adversary.generator_term(output, wanted))
        if adversary is not None:
            adversary.step(output, wanted, self.done)
        return self.counted(pixels.item())


@dataclass(frozen=True)
class RestorationTask:
    """What `run.train` needs to train the generator."""

    config: RestorationConfig
    """The run's config."""

    def open(self, data: Path, processes: int, device: torch.device, rank: int) -> RestorationTrainer:
        """Returns the trainer of process `rank` out of `processes`, before its first step."""
        config = self.config
        faces = read_faces(data, read_manifest(data, TRAIN), config.network.size)
        pairs = Pairs(faces, config.batch // processes, config.seed, config.damage, config.variety)
        return RestorationTrainer(config, pairs, device, rank)

    def evaluate(self, data: Path, trainer: RestorationTrainer) -> list[RestorationRow]:
        """Returns the held-out test of the averaged network on some of the faces."""
        config = self.config
        portraits = read_manifest(data, HELD_OUT)
        faces = read_faces(data, portraits[:: max(1, len(portraits) // _EVALUATED)], config.network.size)

        def network(some: Tensor) -> Tensor:
            with torch.no_grad():
                return training_forward(trainer.average, some.to(trainer.device), DTYPES[config.precision])

        return held_out_table(network, faces)
