"""The contact sheet shows what it says, and only people who may be shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from portraits import SIZE, small_faces, training_command

from gpen_fast.training.metrics import damaged_faces
from gpen_fast.training.sheet import restoration_sheet


def test_the_sheet_shows_public_officials_only(finished: Path, portraits: Path, tmp_path: Path) -> None:
    training_command("sheet", finished, tmp_path / "sheet.png", "--data", portraits, "--faces", "9")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (9 * SIZE, 3 * SIZE)  # three of the four held out


def test_a_row_holds_damaged_and_restored_at_each_factor_then_the_original() -> None:
    faces = small_faces(2)
    sheet = restoration_sheet(lambda batch: batch * 0, faces, (1.5, 4.0))
    assert sheet.shape == (2 * SIZE, 5 * SIZE, 3)
    for i, face in enumerate(faces):
        columns = np.split(sheet[i * SIZE : (i + 1) * SIZE], 5, axis=1)
        assert np.array_equal(columns[0], damaged_faces(faces, 1.5, 0)[i])
        assert np.array_equal(columns[2], damaged_faces(faces, 4.0, 0)[i])
        assert (columns[1] == columns[3]).all()
        assert np.unique(columns[1]).size == 1, "the network's zeros are one grey"
        assert np.array_equal(columns[4], face)
