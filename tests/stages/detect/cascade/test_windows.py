"""Windows: where they are cut from, and what is read from them."""

from __future__ import annotations

import cv2
import numpy as np
from detectors import example

from gpen_fast.image.similarity import moved
from gpen_fast.stages.detect.cascade.landmark_net import SIDE, TEMPLATE, read_net
from gpen_fast.stages.detect.cascade.windows import Pyramid, read_windows, windows_of, windows_of_boxes
from gpen_fast.store.shipped import shipped

GREY = cv2.cvtColor(example("astronaut.png"), cv2.COLOR_RGB2GRAY)
LANDMARKS = np.array([[204, 100], [248, 104], [224, 128], [202, 138], [245, 142.0]])


def test_windows_are_cut_where_they_say() -> None:
    """A ramp of grey shows where each pixel of a window came from, at every level of the pyramid."""
    ramp = np.tile(np.arange(0, 256, 0.25, dtype=np.float32), (600, 1)).astype(np.uint8)
    for scale in (40.0, 130.0, 300.0):
        landmarks = (TEMPLATE * scale + (300, 150))[None]
        (window,) = windows_of(landmarks)
        cut = Pyramid(ramp).cut(window)
        middle = 300 + scale / 2
        assert abs(cut[:, SIDE // 2 - 1 : SIDE // 2 + 1].mean() - middle / 4) < 1
        assert abs((float(cut[:, -1].mean()) - float(cut[:, 0].mean())) - scale / 4 * (SIDE - 1) / SIDE) < 1.5


def test_levels_halve_while_a_window_fits() -> None:
    pyramid = Pyramid(np.zeros((600, 900), np.uint8))
    assert [level.shape for level in pyramid.levels] == [(600, 900), (300, 450), (150, 225), (75, 112)]
    assert len(Pyramid(np.zeros((2 * SIDE - 1, 900), np.uint8)).levels) == 1


def test_the_window_of_a_box_puts_its_landmarks_at_the_template() -> None:
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    (window,) = windows_of_boxes(np.array([[100, 50, 200, 200]]), points)
    landmarks = (np.array([100, 50]) - 0.5 + points * 200)[None]
    assert np.abs(moved(window[None], landmarks)[0] / SIDE - TEMPLATE).max() < 0.06
    assert np.allclose(windows_of(landmarks)[0], window)


def test_landmarks_come_back_in_the_pictures_pixels() -> None:
    """The network reads the same points from a window that is turned and shifted."""
    network, pyramid = read_net(shipped("landmarks-lite.safetensors")), Pyramid(GREY)
    upright = windows_of(LANDMARKS[None])
    shifted = windows_of(LANDMARKS[None] + (4, -3))
    points, scores = read_windows(network, pyramid, np.concatenate([upright, shifted]))
    assert points.shape == (2, 5, 2)
    assert np.abs(points - LANDMARKS).max() < 8
    assert (scores > 0.85).all()


def test_any_number_of_windows(monkeypatch) -> None:
    network, pyramid = read_net(shipped("landmarks-lite.safetensors")), Pyramid(GREY)
    windows = np.repeat(windows_of(LANDMARKS[None]), 65, axis=0)
    points, scores = read_windows(network, pyramid, windows)
    assert len(points) == len(scores) == 65
    assert np.allclose(points, points[0], atol=1e-3)
    nothing = read_windows(network, pyramid, windows[:0])
    assert (nothing[0].shape, nothing[1].shape) == ((0, 5, 2), (0,))
