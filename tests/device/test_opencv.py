"""OpenCV's log is off unless the user wants it."""

from __future__ import annotations

import os

import pytest

from gpen_fast.device.opencv import silence_log


@pytest.mark.parametrize(("before", "after"), [(None, "SILENT"), ("DEBUG", "DEBUG")])
def test_the_users_level_stays(before: str | None, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "to be put back")
    monkeypatch.delenv("OPENCV_LOG_LEVEL")
    if before is not None:
        monkeypatch.setenv("OPENCV_LOG_LEVEL", before)
    silence_log()
    assert os.environ["OPENCV_LOG_LEVEL"] == after
