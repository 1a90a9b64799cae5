"""Fixtures of the training's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from portraits import small_config

from gpen_fast.training.restoring import RestorationTask
from gpen_fast.training.run import TrainingRun, train


@pytest.fixture
def finished(portraits: Path, tmp_path: Path) -> Path:
    """The state of a run of two steps."""
    return train(
        TrainingRun(RestorationTask(small_config(steps=2)), portraits, tmp_path / "run"), lambda what: None
    )
