"""The sheet shows the first windows of a run, faces with their landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from portraits import small_landmark_config

from gpen_fast.training.landmarks.config import WindowConfig
from gpen_fast.training.landmarks.sheet import window_sheet

GREEN = (0, 255, 0)


def bars(sheet: np.ndarray) -> int:
    """Tiles of the sheet that have a green bar at the top."""
    tops = sheet.reshape(10, 96, 16, 96, 3)[:, :3]
    return int((tops == GREEN).all(axis=(1, 3, 4)).sum())


def test_faces_and_only_faces_have_a_bar(portraits: Path) -> None:
    only_faces = small_landmark_config(windows=WindowConfig(none=0.0, mined=0.0))
    no_faces = small_landmark_config(windows=WindowConfig(none=1.0, mined=0.0))
    sheet = window_sheet(only_faces, portraits)
    assert sheet.shape == (960, 1536, 3)
    assert bars(sheet) == 160
    assert bars(window_sheet(no_faces, portraits)) == 0
