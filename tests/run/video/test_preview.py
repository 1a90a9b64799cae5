"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gpen_fast.errors import InputsError, VideoError
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video.preview import write_preview
from gpen_fast.settings import VideoOptions


def test_rows_hold_a_frame_before_and_after(small: Runtime, deep_clip: Path, tmp_path: Path) -> None:
    write_preview(small, deep_clip, tmp_path / "sheet.png", VideoOptions(), 3)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape == (3 * 180, 2 * 320, 3)
    rows = np.split(sheet, 3)
    for row in rows:
        before, after = np.split(row, 2, axis=1)
        assert np.array_equal(before[:, :50], after[:, :50])  # beside the face
        assert not np.array_equal(before, after)
    assert not np.array_equal(rows[0][:, :320], rows[2][:, :320])


def test_what_makes_no_sheet_is_refused(small: Runtime, deep_clip: Path, tmp_path: Path) -> None:
    with pytest.raises(InputsError, match="--preview writes a picture"):
        write_preview(small, deep_clip, tmp_path / "sheet.mp4", VideoOptions(), 3)
    with pytest.raises(VideoError, match="no frame in the part"):
        write_preview(small, deep_clip, tmp_path / "sheet.png", VideoOptions(start="99"), 3)
