"""Windows in which a cascade is wrong are mined, and learned as windows without a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from portraits import small_landmark_config

from gpen_fast.training.landmarks import samples as module
from gpen_fast.training.landmarks.config import WindowConfig
from gpen_fast.training.landmarks.mining import mine_windows
from gpen_fast.training.landmarks.samples import WindowSamples, read_sources
from gpen_fast.training.landmarks.windows import (
    distance_from_template,
)


def test_windows_where_a_cascade_is_wrong_are_learned_as_no_face(
    portraits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A face that is declared to be none is mined; with its landmarks declared, it is not."""
    import skimage

    astronaut = skimage.data.astronaut()
    scene = astronaut[30:230, 120:320]
    found = mine_windows(np.zeros((0, 64, 64, 3), np.uint8), np.zeros((0, 5, 2)), [scene])
    assert found
    assert all(each.landmarks is None for each in found)
    there = np.array([[84, 70], [128, 74], [104, 98], [82, 108], [125, 112]], dtype=np.float64)
    beside = mine_windows(scene[None], there[None], [])
    assert all(distance_from_template(each.window, there) > 0.4 for each in beside), (
        "the face itself is none of them"
    )
    config = small_landmark_config(windows=WindowConfig(none=1.0, mined=1.0, misplaced=0.0))
    monkeypatch.setattr(module, "mine_windows", lambda *arguments: found)
    batch = WindowSamples(read_sources(portraits, config), config, 8).at(0)
    assert batch.face.sum() == 0
