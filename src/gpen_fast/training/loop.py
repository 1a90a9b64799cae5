"""One training step after another, whatever is trained: rate, clipping, average, resume."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gpen_fast.errors import CheckpointError
from gpen_fast.training.config import Optimiser
from gpen_fast.training.share import share_gradients


class Schedule(Protocol):
    """What a run's figures say about its length and its rate."""

    @property
    def steps(self) -> int:
        """Of the whole run."""

    @property
    def optimiser(self) -> Optimiser:
        """Rates and averages."""


def rate_at(step: int, config: Schedule) -> float:
    """The learning rate of a step: a linear warm-up, the peak, and a cosine down to `floor` of it at the end."""
    optimiser = config.optimiser
    warm = min(1.0, (step + 1) / optimiser.warmup)
    cooled = max(0.0, 1 - (config.steps - step) / (optimiser.cooling * config.steps))
    cosine = (1 + math.cos(math.pi * cooled)) / 2
    return optimiser.rate * warm * (optimiser.floor + (1 - optimiser.floor) * cosine)


class Loop:
    """Everything that one process keeps between steps. `average` is the network to use, `done` the steps taken."""

    def __init__(self, network: nn.Module, schedule: Schedule, device: torch.device) -> None:
        self.schedule, self.device = schedule, device
        self.network: Any = network.to(device)
        self.average: Any = copy.deepcopy(self.network).requires_grad_(False)
        optimiser = schedule.optimiser
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=optimiser.rate,
            betas=(optimiser.beta1, optimiser.beta2),
            weight_decay=optimiser.decay,
        )
        self.done = 0

    def step(self) -> float:
        """One batch; returns the loss to report. Raises CheckpointError where training has diverged."""
        raise NotImplementedError

    def counted(self, loss: float) -> float:
        """`loss`, and one step more is done. Raises CheckpointError where it is no number."""
        self.done += 1
        if not math.isfinite(loss):
            raise CheckpointError(f"step {self.done}: the loss is {loss}. Lower [optimiser] rate or clip.")
        return loss

    def update(self, loss: Tensor) -> None:
        """The weights one step further down."""
        self.optimiser.zero_grad()
        loss.backward()
        share_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.optimiser.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.done, self.schedule)
        self.optimiser.step()
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        """The average follows faster at first, while the network is still far from anything."""
        keep = min(self.schedule.optimiser.ema, (1 + self.done) / (10 + self.done))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - keep)
        for ours, theirs in zip(self.average.buffers(), self.network.buffers(), strict=True):
            ours.copy_(theirs)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs."""
        return {
            "step": self.done,
            "g": self.network.state_dict(),
            "g_ema": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        self.network.load_state_dict(state["g"])
        self.average.load_state_dict(state["g_ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.done = int(state["step"])

    def save(self, path: Path) -> None:
        """The state, at once under its final name."""
        part = path.with_name(path.name + ".part")
        torch.save(self.state_dict(), part)
        part.replace(path)

    def resume(self, path: Path) -> None:
        """Goes on where `save` was called. Raises CheckpointError for a file of other figures."""
        try:
            self.load_state_dict(torch.load(path, map_location=self.device, weights_only=True))
        except Exception as cause:  # torch fails on damaged and foreign files in many ways
            raise CheckpointError(f"{path}: this run cannot go on from it: {cause}") from cause
