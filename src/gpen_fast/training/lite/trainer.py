"""Training of GPEN-Lite 2: its losses, its steps, and its short held-out test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device.precision import cpu_has_bf16
from gpen_fast.device.threads import seeded
from gpen_fast.errors import CheckpointError
from gpen_fast.gpen.checkpoint import build
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.training.adversary import AdversarialLoop, Adversary
from gpen_fast.training.degrade import held_out_damage
from gpen_fast.training.forward import training_forward
from gpen_fast.training.initial import near_identity
from gpen_fast.training.lite.batches import DeviceBatches
from gpen_fast.training.lite.damage import degrade_batch
from gpen_fast.training.lite.features import RandomFeatures
from gpen_fast.training.lite.recipe import LiteRecipe
from gpen_fast.training.lite.sets import open_store, read_set_faces, read_sets
from gpen_fast.training.losses import energy_loss, pixel_loss

# Held-out faces of each set that are tested during the training, at most.
_TESTED = 20


def lite_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Returns the type of the convolutions: bf16 if asked for, or for `auto` where the device has it natively."""
    native = device.type == "cuda" or cpu_has_bf16()
    return torch.bfloat16 if precision == "bf16" or (precision == "auto" and native) else torch.float32


def _first_network(recipe: LiteRecipe, start: Path | None) -> FullGenerator:
    """The network before the first step."""
    if start is None:
        return near_identity(recipe.network, recipe.seed)
    network = build(start)
    if network.config != recipe.network:
        raise CheckpointError(
            f"{start}: a network with {network.config}; the recipe's is {recipe.network}. "
            "Start from weights of the recipe's network, or change its table [network]."
        )
    return network.train().requires_grad_(True)


def colour_loss(restored: Tensor, wanted: Tensor) -> Tensor:
    """Returns the mean absolute difference of colour in low frequencies.

    Args:
        restored: (B,3,S,S), the network's output.
        wanted: (B,3,S,S), the undamaged faces.
    """
    difference = restored - wanted
    side = difference.shape[-1]
    local = F.avg_pool2d(difference, max(1, side // 8)).abs().mean()
    return local + difference.mean((2, 3)).abs().mean()


class LiteTrainer(AdversarialLoop):
    """The training of one process.

    Args:
        recipe: The run's recipe.
        batches: The batches, made on the device.
        device: Where the network is trained.
        rank: The number of the process, which decides its batches.
        start: Weights that the network starts from; None: it starts as one that returns its input.
    """

    network: FullGenerator
    average: FullGenerator

    def __init__(
        self,
        recipe: LiteRecipe,
        batches: DeviceBatches,
        device: torch.device,
        rank: int = 0,
        start: Path | None = None,
    ) -> None:
        super().__init__(_first_network(recipe, start), recipe, device)
        self.recipe, self.batches, self.rank = recipe, batches, rank
        self.dtype = lite_dtype(recipe.precision, device)
        self.features = RandomFeatures().to(device)
        self.adversary = Adversary(recipe, device, self.dtype) if recipe.adversarial else None
        on_gpu = device.type == "cuda"
        self._forward = torch.compile(training_forward) if recipe.compiled and on_gpu else training_forward
        self._together = on_gpu

    def restored(self, network: FullGenerator, faces: Tensor) -> Tensor:
        """Returns what a network makes of faces, (B,3,S,S) in [-1,1], in the run's arithmetic."""
        return self._forward(network, faces, self.dtype, together=self._together)

    def step(self) -> float:
        """Trains on one batch and returns its pixel loss."""
        damaged, wanted = self.batches.at(self.done, self.rank)
        output = self.restored(self.network, damaged)
        pixels = pixel_loss(output, wanted, self.recipe.loss.scales, self.recipe.loss.gradient)
        loss = pixels + self._other_terms(output, wanted, damaged)
        adversary = self.adversary if self.done >= self.recipe.adversary.start else None
        self.update(loss if adversary is None else loss + adversary.generator_term(output, wanted))
        if adversary is not None:
            adversary.step(output, wanted, self.done)
        return self.counted(pixels.item())

    def _other_terms(self, output: Tensor, wanted: Tensor, damaged: Tensor) -> Tensor:
        """The terms beside the pixels; one of no weight costs nothing."""
        weights = self.recipe.loss
        total = output.new_zeros(())
        if weights.energy:
            total = total + weights.energy * energy_loss(output, wanted, damaged)
        if weights.perceptual:
            total = total + weights.perceptual * self.features.distance(output, wanted, self.dtype)
        if weights.colour:
            total = total + weights.colour * colour_loss(output, wanted)
        if weights.fixed_point and self.done % weights.fixed_point_every == 0:
            total = total + weights.fixed_point * weights.fixed_point_every * self._second_pass(output)
        return total

    def _second_pass(self, output: Tensor) -> Tensor:
        """What the network changes in its own results, as they would be saved: of a quarter of the batch."""
        some = output[: max(1, len(output) // 4)].detach()
        saved = ((some + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1
        return (self.restored(self.network, saved) - saved).abs().mean()


@dataclass(frozen=True)
class GainRow:
    """A line of the short held-out test."""

    set: int
    """The number of the set."""

    factor: float
    """Downscale factor of the damage."""

    gain: float
    """PSNR of the restored faces less that of their inputs, in dB, over all pixels together."""


@dataclass(frozen=True)
class LiteTask:
    """What `run.train` needs to train GPEN-Lite 2. It needs no OpenCV."""

    config: LiteRecipe
    """The run's recipe."""

    wider: tuple[Path, ...] = ()
    """Sets beside the run's data folder."""

    start: Path | None = None
    """Weights that a new run starts from; None: it starts from a network that returns its input."""

    def open(self, data: Path, processes: int, device: torch.device, rank: int) -> LiteTrainer:
        """Returns the trainer of process `rank` out of `processes`, before its first step."""
        recipe = self.config
        store = open_store(read_sets([data, *self.wider]), recipe.network.size, device)
        batches = DeviceBatches(
            store,
            recipe.batch // processes,
            recipe.seed,
            recipe.damage,
            recipe.variety,
            recipe.clean,
            recipe.old,
        )
        return LiteTrainer(recipe, batches, device, rank, self.start)

    def evaluate(self, data: Path, trainer: LiteTrainer) -> list[GainRow]:
        """Returns the gains of the averaged network on some held-out faces of each set."""
        rows = []
        for i, members in enumerate(read_sets([data, *self.wider])):
            held = [row for row in members if row.held_out]
            some = held[:: max(1, len(held) // _TESTED)][:_TESTED]
            faces = read_set_faces(some, self.config.network.size).to(trainer.device).float()
            rows += (
                [GainRow(i, factor, _gain(trainer, faces, factor)) for factor in (1.5, 4.0)] if some else []
            )
        return rows


@torch.no_grad()
def _gain(trainer: LiteTrainer, faces: Tensor, factor: float) -> float:
    damages = [held_out_damage(factor)] * len(faces)
    damaged = degrade_batch(faces, damages, seeded(0, faces.device))
    restored = trainer.restored(trainer.average, damaged / 127.5 - 1).add(1).mul(127.5).round().clamp(0, 255)
    before, after = ((each - faces).square().mean() for each in (damaged, restored))
    return float(10 * torch.log10(before / after.clamp_min(1e-6)))


def lite_task(recipe: LiteRecipe, wider: Sequence[Path], start: Path | None = None) -> LiteTask:
    """Returns the task of a recipe on the run's data folder and wider sets."""
    return LiteTask(recipe, tuple(wider), start)
