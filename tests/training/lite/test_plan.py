"""A run's length follows from the speeds of its two phases, and is decided once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lite_sets import small_recipe

from gpen_fast.errors import CheckpointError
from gpen_fast.training.lite.plan import PLAN, RunPlan, batch_for, plan_for, read_plan, write_plan
from gpen_fast.training.lite.speed import TrainingSpeed


def test_fills_the_time_with_both_phases() -> None:
    """Half of the steps are adversarial: 10 and 5 pictures/s give 6.67; 93% of 60 s are 186 steps of 2."""
    speeds = [TrainingSpeed(10, 1, 1), TrainingSpeed(5, 1, 1)]
    assert plan_for(small_recipe(), speeds, minutes=1) == RunPlan(steps=186, batch=2)


def test_is_kept_in_the_runs_folder(tmp_path: Path) -> None:
    assert read_plan(tmp_path / "run") is None
    write_plan(tmp_path / "run", RunPlan(7, 3))
    assert read_plan(tmp_path / "run") == RunPlan(7, 3)
    (tmp_path / "run" / PLAN).write_text('{"steps": 7')
    with pytest.raises(CheckpointError, match="not a plan of a run"):
        read_plan(tmp_path / "run")


def test_a_gpu_has_larger_batches() -> None:
    assert batch_for(small_recipe(), torch.device("cpu")) == 2
    assert batch_for(small_recipe(), torch.device("cuda")) == 64
