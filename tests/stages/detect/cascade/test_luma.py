"""Luma of any picture, at its own size or smaller."""

from __future__ import annotations

import cv2
import numpy as np
from detectors import CPU, example

from gpen_fast.stages.detect.cascade.luma import luma_of, shrunk
from gpen_fast.stages.load import load


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
