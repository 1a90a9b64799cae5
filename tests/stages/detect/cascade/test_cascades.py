"""OpenCV's cascades: any thread, any depth, and what is said where they are absent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from detectors import CPU, example, opened

from gpen_fast.errors import PluginError
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, Cascades, luma_of, open_cascade, shrunk
from gpen_fast.stages.load import load


def test_opencv_without_cascades_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(
        PluginError, match=r"needs opencv-python 4\.x.*Try: pip install 'opencv-python>=4\.10,<5'"
    ):
        opened("haar")
    with pytest.raises(PluginError, match=r"detector 'lite' needs opencv-python 4\.x"):
        opened("lite")


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


def test_luma_of_every_depth_and_colour() -> None:
    rgb = example("astronaut.png")[:40, :50]
    wanted = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert (luma_of(load(rgb, CPU)) == wanted).all()
    assert (luma_of(load(rgb.astype(np.uint16) * 257, CPU)) == wanted).all()
    assert (luma_of(load(wanted, CPU)) == wanted).all()


def test_pictures_are_shrunk_and_never_enlarged() -> None:
    grey = np.zeros((50, 200), np.uint8)
    small, scale = shrunk(grey, 100)
    assert (small.shape, scale) == ((25, 100), 0.5)
    for bound in (None, 200, 4000):
        assert shrunk(grey, bound)[0] is grey


def test_a_missing_file_of_opencvs_is_named() -> None:
    with pytest.raises(PluginError, match=r"detector 'haar': no\.xml is missing from OpenCV's data folder"):
        open_cascade("no.xml", "haar")
