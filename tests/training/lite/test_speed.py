"""Pictures per second beside the floor of the arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lite_sets import lite_trainer, two_sets

from gpen_fast.training.lite.speed import TrainingSpeed, peak_flops, training_speed


def test_the_share_is_the_part_of_the_floors_speed() -> None:
    speed = TrainingSpeed(pictures_per_second=5, flops=2e9, peak=1e11)
    assert (speed.floor, speed.share) == (50, 0.1)


def test_the_discriminator_adds_operations(tmp_path: Path) -> None:
    folders = two_sets(tmp_path)
    without, beside = (training_speed(lite_trainer(folders), 0.05, start) for start in (0, 3))
    assert beside.flops > 1.2 * without.flops
    assert without.pictures_per_second > 0
    assert 0 < without.share < 1


def test_a_matrix_product_has_a_plausible_peak() -> None:
    assert 1e9 < peak_flops(torch.device("cpu"), torch.float32) < 1e14


@pytest.mark.cuda
def test_measures_on_a_gpu() -> None:
    assert peak_flops(torch.device("cuda"), torch.bfloat16) > 1e13
