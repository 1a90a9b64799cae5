"""Training of the landmark network: its loop, its loss, and what is looked at on the way."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device.threads import seeded
from gpen_fast.errors import CheckpointError
from gpen_fast.stages.detect.cascade.landmark_net import LandmarkNet, read_net, widths_of
from gpen_fast.training.landmarks.config import Config
from gpen_fast.training.landmarks.metrics import Row, held_out_rows, usable
from gpen_fast.training.landmarks.samples import Samples, stock
from gpen_fast.training.loop import Loop

# Landmark errors below this share of the window's side count by their square, above by their size.
_NEAR = 0.01


class Trainer(Loop):
    """The landmark network's steps."""

    def __init__(self, config: Config, samples: Samples, device: torch.device, rank: int = 0) -> None:
        super().__init__(drawn_net(config), config, device)
        self.config, self.samples, self.rank = config, samples, rank

    def step(self) -> float:
        """One batch; returns its whole loss."""
        batch = self.samples.at(self.done, self.rank)
        points, logits = self.network(batch.windows.to(self.device))
        loss = loss_of(
            points, logits, batch.points.to(self.device), batch.face.to(self.device), self.config.points
        )
        self.update(loss)
        return self.counted(loss.item())


def loss_of(points: Tensor, logits: Tensor, wanted: Tensor, face: Tensor, weight: float) -> Tensor:
    """Binary cross entropy, and `weight` times the smooth L1 of the landmarks of faces."""
    apart = F.smooth_l1_loss(points, wanted, beta=_NEAR, reduction="none").mean((1, 2))
    near = (apart * face).sum() / face.sum().clamp_min(1)
    return F.binary_cross_entropy_with_logits(logits, face) + weight * near


def drawn_net(config: Config) -> LandmarkNet:
    """A network whose weights depend on the seed alone."""
    network = LandmarkNet(config.network.widths, normalised=True).train()
    generator = seeded(config.seed)
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)
    torch.nn.init.normal_(network.heat.weight, std=0.01, generator=generator)
    return network


def read_state(path: Path) -> LandmarkNet:
    """The network to use of a training state, or of published weights. Raises CheckpointError."""
    if path.suffix == ".safetensors":
        return read_net(path)
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)["g_ema"]
        network = LandmarkNet(widths_of(weights), normalised=True)
        network.load_state_dict(weights)
    except Exception as cause:  # torch fails on damaged and foreign files in many ways
        raise CheckpointError(f"{path}: is no state of a landmark network: {cause}") from cause
    return usable(network)


def opened(config: Config, data: Path, share: int, device: torch.device, rank: int) -> Trainer:
    """A run's beginning in one of `share` processes."""
    return Trainer(config, Samples(stock(data, config), config, config.batch // share), device, rank)


def evaluate(data: Path, trainer: Trainer) -> list[Row]:
    """The held-out test."""
    return held_out_rows(usable(trainer.average), data, trainer.config.crop)
