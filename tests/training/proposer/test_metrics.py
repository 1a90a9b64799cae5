"""The held-out test counts a face as proposed only if a window lies on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from portraits import small_proposer_config

from gpen_fast.training.convolutions import published_form
from gpen_fast.training.proposer import metrics
from gpen_fast.training.proposer.canvases import CanvasSamples, PlacedFace, read_canvas_sources
from gpen_fast.training.proposer.metrics import proposal_rows
from gpen_fast.training.proposer.task import initial_proposer


def test_faces_and_windows_are_counted(portraits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other picture has a window on each of its faces, and one more in the corner."""
    config = small_proposer_config()
    samples = CanvasSamples(read_canvas_sources(portraits, "held-out", config.crop), config, 1)
    face = PlacedFace((30.0, 30.0), 24.0, 0.0)
    pictures = iter(range(1000))
    monkeypatch.setattr(CanvasSamples, "one", lambda self, rng: (np.zeros((64, 64), np.uint8), [face]))

    def marked_windows(network: object, picture: object) -> np.ndarray:
        right = [[0.9, 32.0, 29.0, 26.0, 2.0]] if next(pictures) % 2 else []
        return np.array([*right, [0.5, 5.0, 5.0, 24.0, 0.0]])

    monkeypatch.setattr(metrics, "marked_windows", marked_windows)
    network = published_form(initial_proposer(config))
    assert [(row.turn, row.proposed, row.windows) for row in proposal_rows(network, samples)] == [
        (20, 0.5, 1.5),
        (45, 0.5, 1.5),
    ]
