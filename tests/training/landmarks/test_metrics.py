"""The held-out test measures errors as parts of the eye distance, on rolled faces in upright windows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from portraits import POINTS, SIZE, small_faces

from gpen_fast.stages.detect.cascade.landmark_net import LandmarkNet
from gpen_fast.training.landmarks.metrics import landmark_error, level_eyes, published_form, roll_face


def test_errors_are_parts_of_the_eye_distance() -> None:
    points = np.array(POINTS.split(), dtype=np.float64).reshape(5, 2)
    assert landmark_error(points + np.array([0, 2]), points) == pytest.approx(2 / 8)
    turned, there = roll_face(small_faces(1)[0], points, 20)
    assert turned.shape == (SIZE, SIZE, 3)
    assert np.linalg.norm(there[1] - there[0]) == pytest.approx(8)
    assert there[1, 1] < there[0, 1], "positive degrees turn left"
    level = level_eyes(there)
    assert level[0, 1] == pytest.approx(level[1, 1])
    assert np.allclose(level.mean(axis=0), there.mean(axis=0))


def test_published_form_computes_the_same_without_normalisations() -> None:
    network = LandmarkNet((4, 6, 8, 8), normalised=True).train()
    windows = torch.rand(8, 1, 64, 64) * 255
    network(windows)  # moves the running statistics away from 0 and 1
    plain = published_form(network)
    assert not [each for each in plain.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    assert not any(parameter.requires_grad for parameter in plain.parameters())
    with torch.no_grad():
        for ours, theirs in zip(plain(windows), network.eval()(windows), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-4)
    assert any(isinstance(each, torch.nn.BatchNorm2d) for each in network.modules()), "a copy was folded"
