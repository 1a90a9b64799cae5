"""OpenCV's cascades: any thread, any depth, and what is said where they are absent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from detectors import CPU, example, opened

from gpen_fast.errors import PluginError
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, Cascades, open_cascade
from gpen_fast.stages.detect.cascade.luma import luma_of
from gpen_fast.stages.load import load


def test_opencv_without_cascades_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(
        PluginError, match=r"needs opencv-python 4\.x.*Try: pip install 'opencv-python>=4\.10,<5'"
    ):
        opened("haar")


def test_boxes_seen_in_the_mirror_image_are_in_the_pictures_own_pixels() -> None:
    grey = luma_of(load(example("astronaut.png"), CPU))
    cascades = Cascades()
    (plain,) = cascades.find(FRONTAL, grey, neighbours=4)
    (mirrored,) = cascades.find(FRONTAL, np.ascontiguousarray(grey[:, ::-1]), neighbours=4, mirrored=True)
    x, y, w, h = plain
    assert mirrored.tolist() == [512 - x - w, y, w, h]
    assert cascades.find(FRONTAL, np.full((60, 60), 90, np.uint8), neighbours=4).shape == (0, 4)


def test_a_thread_keeps_its_own_classifier() -> None:
    cascades = Cascades()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(cascades.of, FRONTAL).result()
    assert cascades.of(FRONTAL) is cascades.of(FRONTAL) is not other


def test_a_missing_file_of_opencvs_is_named() -> None:
    with pytest.raises(PluginError, match=r"detector 'haar': no\.xml is missing from OpenCV's data folder"):
        open_cascade("no.xml", "haar")
