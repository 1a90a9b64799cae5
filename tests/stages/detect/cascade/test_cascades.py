"""OpenCV's cascades: any thread, any depth, and what is said where they are absent."""

from __future__ import annotations

import cv2
import pytest
from detectors import opened

from gpen_fast.errors import PluginError


def test_opencv_without_cascades_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(
        PluginError, match=r"needs opencv-python 4\.x.*Try: pip install 'opencv-python>=4\.10,<5'"
    ):
        opened("haar")
    with pytest.raises(PluginError, match=r"detector 'lite' needs opencv-python 4\.x"):
        opened("lite")
