"""The second phase: a discriminator, its optimiser, and what they add to the generator's loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gpen_fast.device.threads import seeded
from gpen_fast.training.config import Config
from gpen_fast.training.discriminator import Discriminator
from gpen_fast.training.initial import draw_weights
from gpen_fast.training.losses import discriminator_loss, feature_matching, generator_loss, r1_penalty
from gpen_fast.training.share import share_gradients


class Adversary:
    """Judges (B,3,S,S) float32 pictures in [-1,1]."""

    def __init__(self, config: Config, device: torch.device) -> None:
        self.config = config.adversary
        judge = Discriminator(config.network.size, self.config.width)
        draw_weights(judge, seeded(config.seed))
        self.discriminator = judge.to(device)
        self.optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=self.config.rate, betas=(0.0, 0.99)
        )

    def loss_of(self, restored: Tensor, wanted: Tensor) -> Tensor:
        """What the generator's loss gains: fool the discriminator, match its features."""
        self.discriminator.requires_grad_(False)
        scores, ours = self.discriminator(restored)
        with torch.no_grad():
            _, theirs = self.discriminator(wanted)
        return self.config.weight * generator_loss(scores) + self.config.matching * feature_matching(
            theirs, ours
        )

    def step(self, restored: Tensor, wanted: Tensor, number: int) -> float:
        """One update of the discriminator, regularised every `r1_every` steps. Returns its loss."""
        self.discriminator.requires_grad_(True)
        lazily = number % self.config.r1_every == 0
        real = wanted.detach().requires_grad_(lazily)
        scores, _ = self.discriminator(real)
        loss = discriminator_loss(scores, self.discriminator(restored.detach())[0])
        if lazily:
            loss = loss + self.config.r1 / 2 * self.config.r1_every * r1_penalty(real, scores)
        self.optimiser.zero_grad()
        loss.backward()
        share_gradients(self.discriminator)
        self.optimiser.step()
        return loss.item()

    def state_dict(self) -> dict[str, Any]:
        """For a resumed run."""
        return {"network": self.discriminator.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        self.discriminator.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
