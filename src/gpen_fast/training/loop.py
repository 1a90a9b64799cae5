"""What every training has in common, step after step: learning rate, clipping, averaged weights, saved states."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gpen_fast.errors import CheckpointError, first_line
from gpen_fast.training.config import OptimiserConfig
from gpen_fast.training.share import average_gradients

TrainingState = dict[str, Any]  # PyTorch's state dicts hold tensors, numbers and further dicts


class Schedule(Protocol):
    """What a run's config says about its length and its learning rate."""

    @property
    def steps(self) -> int:
        """Steps of the whole run."""

    @property
    def optimiser(self) -> OptimiserConfig:
        """AdamW and its learning rate."""


def learning_rate(step: int, schedule: Schedule) -> float:
    """Returns the learning rate of a step: a linear warm-up, the peak, and at the end a cosine down to the floor."""
    optimiser = schedule.optimiser
    warm = min(1.0, (step + 1) / optimiser.warmup)
    cooled = max(0.0, 1 - (schedule.steps - step) / (optimiser.cooling * schedule.steps))
    cosine = (1 + math.cos(math.pi * cooled)) / 2
    return optimiser.rate * warm * (optimiser.floor + (1 - optimiser.floor) * cosine)


class TrainingLoop:
    """Everything that one process keeps between steps.

    Args:
        network: The network to train.
        schedule: The run's length and learning rate.
        device: Where the network is trained.
    """

    def __init__(self, network: nn.Module, schedule: Schedule, device: torch.device) -> None:
        self.schedule, self.device = schedule, device
        self.network = network.to(device)
        """The network that is trained."""
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        """The network with averaged weights, which is the one to use."""
        optimiser = schedule.optimiser
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=optimiser.rate,
            betas=(optimiser.beta1, optimiser.beta2),
            weight_decay=optimiser.decay,
        )
        self.done = 0
        """Steps taken."""

    def step(self) -> float:
        """Trains on one batch.

        Returns:
            The loss to report.

        Raises:
            CheckpointError: The loss is NaN or infinite.
        """
        raise NotImplementedError

    def counted(self, loss: float) -> float:
        """Counts a step and returns its loss.

        Raises:
            CheckpointError: The loss is NaN or infinite.
        """
        self.done += 1
        if not math.isfinite(loss):
            raise CheckpointError(f"step {self.done}: the loss is {loss}. Lower [optimiser] rate or clip.")
        return loss

    def update(self, loss: Tensor) -> None:
        """Updates the weights and their average by the gradients of a loss."""
        self.optimiser.zero_grad()
        loss.backward()
        average_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.optimiser.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.done, self.schedule)
        self.optimiser.step()
        self._update_average()

    @torch.no_grad()
    def _update_average(self) -> None:
        # The first weights are random: a short average forgets them sooner.
        keep = min(self.schedule.optimiser.ema, (1 + self.done) / (10 + self.done))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - keep)
        for ours, theirs in zip(self.average.buffers(), self.network.buffers(), strict=True):
            ours.copy_(theirs)

    def state_dict(self) -> TrainingState:
        """Returns everything that a resumed run needs. `g` and `g_ema` are the names of GPEN's training code."""
        return {
            "step": self.done,
            "g": self.network.state_dict(),
            "g_ema": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: TrainingState) -> None:
        """Restores what `state_dict` returned."""
        self.network.load_state_dict(state["g"])
        self.average.load_state_dict(state["g_ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.done = int(state["step"])

    def save(self, path: Path) -> None:
        """Writes the state under a temporary name and renames it, so that `path` never holds half a state."""
        part = path.with_name(path.name + ".part")
        torch.save(self.state_dict(), part)
        part.replace(path)

    def resume(self, path: Path) -> None:
        """Continues from a saved state.

        Raises:
            CheckpointError: The file is damaged, or it is the state of another network.
        """
        try:
            self.load_state_dict(torch.load(path, map_location=self.device, weights_only=True))
        except Exception as cause:  # torch raises many types for damaged and foreign files
            raise CheckpointError(
                f"{path}: this run cannot be resumed from it: {first_line(cause)}"
            ) from cause
