"""One training step after another, in one of possibly several processes, with resume."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gpen_fast.errors import CheckpointError
from gpen_fast.gpen.folded import DTYPES
from gpen_fast.training.config import Config
from gpen_fast.training.data import Pairs
from gpen_fast.training.forward import restored
from gpen_fast.training.initial import near_identity
from gpen_fast.training.losses import energy_loss, pixel_loss
from gpen_fast.training.rival import Rival
from gpen_fast.training.share import share_gradients


def rate_at(step: int, config: Config) -> float:
    """The learning rate of a step: a linear warm-up, the peak, and a cosine down to `floor` of it at the end."""
    figures = config.optimiser
    warm = min(1.0, (step + 1) / figures.warmup)
    cooled = max(0.0, 1 - (config.steps - step) / (figures.cooling * config.steps))
    cosine = (1 + math.cos(math.pi * cooled)) / 2
    return figures.rate * warm * (figures.floor + (1 - figures.floor) * cosine)


class Trainer:
    """Everything that one process keeps between steps. `average` is the network to use, `done` the steps taken."""

    def __init__(self, config: Config, pairs: Pairs, device: torch.device, rank: int = 0) -> None:
        self.config, self.pairs, self.device, self.rank = config, pairs, device, rank
        self.network = near_identity(config.figures, config.seed).to(device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        figures = config.optimiser
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=figures.rate,
            betas=(figures.beta1, figures.beta2),
            weight_decay=figures.decay,
        )
        self.rival = Rival(config, device) if config.adversarial else None
        self.done = 0

    def step(self) -> float:
        """One batch; returns its pixel loss. Raises CheckpointError where training has diverged."""
        damaged, wanted = (each.to(self.device) for each in self.pairs.at(self.done, self.rank))
        output = restored(self.network, damaged, DTYPES[self.config.precision])
        pixels = pixel_loss(output, wanted, self.config.loss.scales, self.config.loss.gradient)
        loss = pixels + self.config.loss.energy * energy_loss(output, wanted, damaged)
        rival = self.rival if self.done >= self.config.adversary.start else None
        self._update(loss if rival is None else loss + rival.loss_of(output, wanted))
        if rival is not None:
            rival.step(output, wanted, self.done)
        self.done += 1
        if not math.isfinite(value := pixels.item()):
            raise CheckpointError(f"step {self.done}: the loss is {value}. Lower [optimiser] rate or clip.")
        return value

    def _update(self, loss: Tensor) -> None:
        self.optimiser.zero_grad()
        loss.backward()
        share_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimiser.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.done, self.config)
        self.optimiser.step()
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        """The average follows faster at first, while the network is still far from anything."""
        keep = min(self.config.optimiser.ema, (1 + self.done) / (10 + self.done))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - keep)

    def save(self, path: Path) -> None:
        """Everything a resumed run needs, at once under its final name."""
        state: dict[str, Any] = {
            "step": self.done,
            "g": self.network.state_dict(),
            "g_ema": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rival": self.rival.state_dict() if self.rival else {},
        }
        part = path.with_name(path.name + ".part")
        torch.save(state, part)
        part.replace(path)

    def resume(self, path: Path) -> None:
        """Goes on where `save` was called. Raises CheckpointError for a file of other figures."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["g"])
            self.average.load_state_dict(state["g_ema"])
            self.optimiser.load_state_dict(state["optimiser"])
            if self.rival and state["rival"]:
                self.rival.load_state_dict(state["rival"])
            self.done = int(state["step"])
        except Exception as cause:  # torch fails on damaged and foreign files in many ways
            raise CheckpointError(f"{path}: this run cannot go on from it: {cause}") from cause
