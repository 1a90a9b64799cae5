"""Training of the landmark network: its steps, its loss, and its held-out test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.stages.detect.cascade.landmark_net import LandmarkNet, read_net, widths_of
from gpen_fast.training.convolutions import initialise, published_form, read_averaged
from gpen_fast.training.landmarks.config import LandmarkConfig
from gpen_fast.training.landmarks.metrics import LandmarkRow, held_out_rows
from gpen_fast.training.landmarks.samples import WindowSamples, read_sources
from gpen_fast.training.loop import TrainingLoop

# Parts of the window's side: landmark errors below it count by their square, larger ones by their size.
_NEAR = 0.01


class LandmarkTrainer(TrainingLoop):
    """The landmark network's training.

    Args:
        config: The run's config.
        samples: The batches.
        device: Where the network is trained.
        rank: The number of the process, which decides its batches.
    """

    network: LandmarkNet
    average: LandmarkNet

    def __init__(
        self, config: LandmarkConfig, samples: WindowSamples, device: torch.device, rank: int = 0
    ) -> None:
        super().__init__(initial_landmark_net(config), config, device)
        self.config, self.samples, self.rank = config, samples, rank

    def step(self) -> float:
        """Trains on one batch and returns its whole loss."""
        batch = self.samples.at(self.done, self.rank)
        points, logits = self.network(batch.windows.to(self.device))
        wanted, face = batch.points.to(self.device), batch.face.to(self.device)
        loss = landmark_loss(points, logits, wanted, face, self.config.points)
        self.update(loss)
        return self.counted(loss.item())


def landmark_loss(points: Tensor, logits: Tensor, wanted: Tensor, face: Tensor, weight: float) -> Tensor:
    """Returns the binary cross entropy plus the weighted smooth L1 loss of the landmarks of faces.

    Args:
        points: (B,5,2), the network's landmarks, 0..1.
        logits: (B), the network's logits of a face.
        wanted: (B,5,2), the right landmarks; ignored where there is no face.
        face: (B), 1 for a face, else 0.
        weight: Weight of the landmarks' loss.
    """
    apart = F.smooth_l1_loss(points, wanted, beta=_NEAR, reduction="none").mean((1, 2))
    near = (apart * face).sum() / face.sum().clamp_min(1)
    return F.binary_cross_entropy_with_logits(logits, face) + weight * near


def initial_landmark_net(config: LandmarkConfig) -> LandmarkNet:
    """Returns a network with random weights that depend on the config's seed alone."""
    network = LandmarkNet(config.network.widths, normalised=True).train()
    generator = initialise(network, config.seed)
    # Almost flat heat maps put every landmark at the window's centre, from where it can move anywhere.
    torch.nn.init.normal_(network.heat.weight, std=0.01, generator=generator)
    return network


def read_landmark_state(path: Path) -> LandmarkNet:
    """Reads the averaged network of a training state, or a published network.

    Args:
        path: The state, or a .safetensors file.

    Returns:
        The network in its published form.

    Raises:
        CheckpointError: The file is damaged, or it holds no landmark network.
    """
    if path.suffix == ".safetensors":
        return read_net(path)
    return read_averaged(
        path, "a landmark network", lambda weights: LandmarkNet(widths_of(weights), normalised=True)
    )


@dataclass(frozen=True)
class LandmarkTask:
    """What `run.train` needs to train the landmark network."""

    config: LandmarkConfig
    """The run's config."""

    def open(self, data: Path, processes: int, device: torch.device, rank: int) -> LandmarkTrainer:
        """Returns the trainer of process `rank` out of `processes`, before its first step."""
        config = self.config
        samples = WindowSamples(read_sources(data, config), config, config.batch // processes)
        return LandmarkTrainer(config, samples, device, rank)

    def evaluate(self, data: Path, trainer: LandmarkTrainer) -> list[LandmarkRow]:
        """Returns the held-out test of the averaged network."""
        return held_out_rows(published_form(trainer.average), data, self.config.crop)
