"""Runtimes of a small network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from runs import BatchDetector

from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import Settings


@pytest.fixture
def runtime(tiny_weights: Path) -> Runtime:
    """Each picture is one aligned face; three faces a call."""
    return load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="none", precision="fp32", batch_size=3)
    )


@pytest.fixture
def detecting(tiny_weights: Path) -> Runtime:
    """With a detector that takes four pictures at once."""
    made = load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="haar", precision="fp32", batch_size=3)
    )
    return replace(made, detector=BatchDetector())
