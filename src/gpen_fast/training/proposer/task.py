"""Training of the proposer: its steps, its loss, and its held-out test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.stages.detect.cascade.proposer_net import ProposerNet, proposer_widths, read_proposer
from gpen_fast.training.convolutions import initialise, published_form, read_averaged
from gpen_fast.training.data import HELD_OUT, TRAIN
from gpen_fast.training.loop import TrainingLoop
from gpen_fast.training.proposer.canvases import CanvasBatch, CanvasSamples, read_canvas_sources
from gpen_fast.training.proposer.config import ProposerConfig
from gpen_fast.training.proposer.metrics import ProposalRow, proposal_rows

# Errors of the window below this, in the network's units, count by their square, larger ones by their size.
_NEAR = 0.05
# "Focal Loss for Dense Object Detection" (Lin et al., 2017): the exponent, and the first probability of a face.
_FOCUS, _PRIOR = 2.0, 0.01


class ProposerTrainer(TrainingLoop):
    """The proposer's training.

    Args:
        config: The run's config.
        samples: The batches.
        device: Where the network is trained.
        rank: The number of the process, which decides its batches.
    """

    network: ProposerNet
    average: ProposerNet

    def __init__(
        self, config: ProposerConfig, samples: CanvasSamples, device: torch.device, rank: int = 0
    ) -> None:
        super().__init__(initial_proposer(config), config, device)
        self.config, self.samples, self.rank = config, samples, rank

    def step(self) -> float:
        """Trains on one batch and returns its whole loss."""
        batch = self.samples.at(self.done, self.rank)
        loss = proposal_loss(self.network(batch.pictures.to(self.device)), batch, self.config.place)
        self.update(loss)
        return self.counted(loss.item())


def proposal_loss(values: Tensor, batch: CanvasBatch, weight: float) -> Tensor:
    """Returns the focal loss of the places plus the weighted smooth L1 loss of the windows.

    Args:
        values: (B,5,h,w), what the network gives.
        batch: What it should give.
        weight: Weight of the windows' loss.
    """
    label, wanted = batch.label.to(values.device), batch.wanted.to(values.device)
    face, counted = (label == 1).float(), (label >= 0).float()
    number = face.sum().clamp_min(1)
    # (B,h,w): cross entropy, smaller where the network is already right.
    entropy = F.binary_cross_entropy_with_logits(values[:, 0], face, reduction="none")
    focal = entropy * (1 - torch.exp(-entropy)) ** _FOCUS * counted
    apart = F.smooth_l1_loss(values[:, 1:], wanted, beta=_NEAR, reduction="none").mean(1)
    return (focal.sum() + weight * (apart * face).sum()) / number


def initial_proposer(config: ProposerConfig) -> ProposerNet:
    """Returns a network with random weights that depend on the config's seed alone."""
    network = ProposerNet(config.network.widths, normalised=True).train()
    generator = initialise(network, config.seed)
    torch.nn.init.normal_(network.head.weight, std=0.01, generator=generator)
    # Almost no place holds a face: without this, the first steps' loss is all theirs.
    assert network.head.bias is not None
    torch.nn.init.constant_(network.head.bias[:1].data, -torch.logit(torch.tensor(1 - _PRIOR)).item())
    return network


def read_proposer_state(path: Path) -> ProposerNet:
    """Reads the averaged network of a training state, or a published network.

    Args:
        path: The state, or a .safetensors file.

    Returns:
        The network in its published form.

    Raises:
        CheckpointError: The file is damaged, or it holds no proposer.
    """
    if path.suffix == ".safetensors":
        return read_proposer(path)
    return read_averaged(
        path, "a proposer", lambda weights: ProposerNet(proposer_widths(weights), normalised=True)
    )


def held_out_samples(data: Path, config: ProposerConfig) -> CanvasSamples:
    """Made-up pictures of the held-out faces of a folder."""
    return CanvasSamples(read_canvas_sources(data, HELD_OUT, config.crop), config, config.batch)


@dataclass(frozen=True)
class ProposerTask:
    """What `run.train` needs to train the proposer."""

    config: ProposerConfig
    """The run's config."""

    def open(self, data: Path, processes: int, device: torch.device, rank: int) -> ProposerTrainer:
        """Returns the trainer of process `rank` out of `processes`, before its first step."""
        config = self.config
        sources = read_canvas_sources(data, TRAIN, config.crop)
        return ProposerTrainer(
            config, CanvasSamples(sources, config, config.batch // processes), device, rank
        )

    def evaluate(self, data: Path, trainer: ProposerTrainer) -> list[ProposalRow]:
        """Returns the held-out test of the averaged network."""
        return proposal_rows(published_form(trainer.average), held_out_samples(data, self.config))
