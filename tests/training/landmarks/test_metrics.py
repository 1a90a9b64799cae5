"""The held-out test measures errors as parts of the eye distance, on rolled faces in upright windows."""

from __future__ import annotations

import numpy as np
import pytest
from portraits import POINTS, SIZE, small_faces

from gpen_fast.training.landmarks.metrics import landmark_error, level_eyes, roll_face


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
