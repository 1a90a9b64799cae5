"""How many steps a run can take in a given time; the plan is kept in the run's folder, so a resumed run follows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from gpen_fast.errors import CheckpointError
from gpen_fast.files import write_file
from gpen_fast.training.lite.recipe import LiteRecipe
from gpen_fast.training.lite.speed import TrainingSpeed, training_speed
from gpen_fast.training.lite.trainer import LiteTask

PLAN = "plan.json"
# The part of the time that steps may take: the rest is for saving and testing.
_FOR_STEPS = 0.93
_BATCHES = {"cuda": 64}


@dataclass(frozen=True)
class RunPlan:
    """What is decided once for a run."""

    steps: int
    """Steps of the whole run."""

    batch: int
    """Faces in a step."""

    start: str = ""
    """Path of the weights that the run starts from; empty: it starts from a network that returns its input."""


def read_plan(out: Path) -> RunPlan | None:
    """Returns the plan of a run that has begun; None for a new one.

    Raises:
        CheckpointError: The plan is damaged.
    """
    path = out / PLAN
    if not path.exists():
        return None
    try:
        return RunPlan(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as cause:
        raise CheckpointError(
            f"{path}: not a plan of a run: {cause}. Remove the folder to start anew."
        ) from cause


def write_plan(out: Path, plan: RunPlan) -> None:
    """Writes the plan into the run's folder, whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    write_file(out / PLAN, (json.dumps(vars(plan)) + "\n").encode())


def batch_for(recipe: LiteRecipe, device: torch.device) -> int:
    """Returns the faces of a step: the recipe's, or as many as keep a GPU busy."""
    return max(recipe.batch, _BATCHES.get(device.type, 0))


def measured_speeds(task: LiteTask, data: Path, device: torch.device, seconds: float) -> list[TrainingSpeed]:
    """Measures a few steps without the discriminator, and, where the run has one, with it."""
    starts = [0, task.config.adversary.start] if task.config.adversarial else [0]
    trainer = task.open(data, 1, device, 0)
    return [training_speed(trainer, seconds, start) for start in starts]


def plan_for(recipe: LiteRecipe, speeds: list[TrainingSpeed], minutes: float) -> RunPlan:
    """Returns the plan that fills the time.

    Args:
        recipe: The recipe, which says at which part of the run the adversary begins.
        speeds: What `measured_speeds` returned.
        minutes: The time.
    """
    late = 1 - recipe.adversary.start / recipe.steps if recipe.adversarial else 0.0
    seconds = (1 - late) / speeds[0].pictures_per_second + late / speeds[-1].pictures_per_second
    pictures = minutes * 60 * _FOR_STEPS / seconds
    return RunPlan(max(1, int(pictures / recipe.batch)), recipe.batch)
