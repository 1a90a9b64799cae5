"""The adversarial phase: a discriminator, its optimiser, and the terms that it adds to the generator's loss."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor

from gpen_fast.device.threads import seeded
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.training.config import AdversaryConfig
from gpen_fast.training.discriminator import Discriminator
from gpen_fast.training.initial import draw_weights
from gpen_fast.training.loop import TrainingLoop, TrainingState
from gpen_fast.training.losses import discriminator_loss, feature_matching, generator_loss, r1_penalty
from gpen_fast.training.share import average_gradients


class AdversaryRun(Protocol):
    """What an adversary reads from the config of a run."""

    @property
    def network(self) -> GeneratorConfig:
        """The generator's size."""

    @property
    def adversary(self) -> AdversaryConfig:
        """The adversarial phase."""

    @property
    def seed(self) -> int:
        """Decides the first weights."""


class Adversary:
    """A discriminator that is trained beside the generator. Faces are (B,3,S,S) float32 RGB in [-1,1].

    Args:
        config: The run's config.
        device: Where the discriminator runs.
        dtype: The type of its convolutions; the R1 penalty is always computed in float32.
    """

    def __init__(
        self, config: AdversaryRun, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self.device, self.dtype = device, dtype
        self.config = config.adversary
        discriminator = Discriminator(config.network.size, self.config.width)
        draw_weights(discriminator, seeded(config.seed))
        self.discriminator = discriminator.to(device)
        self.optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=self.config.rate, betas=(0.0, 0.99)
        )

    def generator_term(self, restored: Tensor, wanted: Tensor) -> Tensor:
        """Returns what the adversary adds to the generator's loss: adversarial loss and feature matching.

        Args:
            restored: (B,3,S,S), the generator's output, with its graph.
            wanted: (B,3,S,S), the undamaged faces.
        """
        # No gradient reaches the discriminator's weights here: `step` trains them.
        self.discriminator.requires_grad_(False)
        with self._arithmetic():
            scores, ours = self.discriminator(restored)
            with torch.no_grad():
                _, theirs = self.discriminator(wanted)
        return self.config.weight * generator_loss(scores) + self.config.matching * feature_matching(
            theirs, ours
        )

    def step(self, restored: Tensor, wanted: Tensor, number: int) -> float:
        """Updates the discriminator once.

        Args:
            restored: (B,3,S,S), the generator's output; it receives no gradient.
            wanted: (B,3,S,S), the undamaged faces.
            number: The number of the step: every `r1_every` steps the R1 penalty is added.

        Returns:
            The discriminator's loss.
        """
        self.discriminator.requires_grad_(True)
        penalised = number % self.config.r1_every == 0
        real = wanted.detach().requires_grad_(penalised)
        with self._arithmetic(lower=not penalised):
            scores, _ = self.discriminator(real)
        with self._arithmetic():
            ours, _ = self.discriminator(restored.detach())
        loss = discriminator_loss(scores.float(), ours.float())
        if penalised:
            # Lazy regularisation: the penalty is computed rarely and weighted by the interval, which costs less and
            # keeps its strength.
            loss = loss + self.config.r1 / 2 * self.config.r1_every * r1_penalty(real, scores)
        self.optimiser.zero_grad()
        loss.backward()
        average_gradients(self.discriminator)
        self.optimiser.step()
        return loss.item()

    def _arithmetic(self, lower: bool = True) -> AbstractContextManager[object]:
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=lower and self.dtype == torch.bfloat16
        )

    def state_dict(self) -> TrainingState:
        """Returns what a resumed run needs."""
        return {"network": self.discriminator.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: TrainingState) -> None:
        """Restores what `state_dict` returned."""
        self.discriminator.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


class AdversarialLoop(TrainingLoop):
    """A training whose state holds that of its adversary, where it has one."""

    adversary: Adversary | None

    def state_dict(self) -> TrainingState:
        """Returns everything that a resumed run needs, the adversary's state included."""
        adversary = self.adversary.state_dict() if self.adversary else {}
        return {**super().state_dict(), "adversary": adversary}

    def load_state_dict(self, state: TrainingState) -> None:
        """Restores what `state_dict` returned."""
        super().load_state_dict(state)
        # A run that adds an adversarial phase resumes from a state without one.
        if self.adversary and state["adversary"]:
            self.adversary.load_state_dict(state["adversary"])
