"""Windows lie where they should."""

from __future__ import annotations

import numpy as np
import pytest
from portraits import POINTS, small_faces

from gpen_fast.stages.detect.cascade.landmark_net import TEMPLATE
from gpen_fast.training.landmarks.config import Jitter, WindowConfig
from gpen_fast.training.landmarks.windows import (
    distance_from_template,
    fitting_window,
    jittered_window,
    mirror_face,
    misplaced_window,
    points_in_window,
    random_window,
)

LANDMARKS = np.array(POINTS.split(), dtype=np.float64).reshape(5, 2)
FACE = small_faces(1)[0]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_a_window_shows_landmarks_near_their_places() -> None:
    assert distance_from_template(fitting_window(LANDMARKS), LANDMARKS) < 0.03
    assert np.allclose(points_in_window(fitting_window(TEMPLATE * 200 + 30), TEMPLATE * 200 + 30), TEMPLATE)


def test_jitter_keeps_within_its_bounds(rng: np.random.Generator) -> None:
    home = fitting_window(LANDMARKS)
    assert np.allclose(jittered_window(home, rng, Jitter(0, 1, 0)), home)
    farthest = [
        distance_from_template(jittered_window(home, rng, Jitter(10, 1.1, 0.05)), LANDMARKS)
        for _ in range(200)
    ]
    assert 0.03 < max(farthest) < 0.16
    squeezed = [jittered_window(home, rng, Jitter(0, 1, 0, squeeze=0.5)) for _ in range(50)]
    assert min(each[0, 0] for each in squeezed) < 0.7 * home[0, 0]
    assert all(each[1, 1] == pytest.approx(home[1, 1]) for each in squeezed)


def test_misplaced_windows_are_far_off(rng: np.random.Generator) -> None:
    windows = WindowConfig(apart=0.4)
    assert (
        min(distance_from_template(misplaced_window(LANDMARKS, rng, windows), LANDMARKS) for _ in range(50))
        > 0.4
    )


def test_random_windows_lie_within_the_picture(rng: np.random.Generator) -> None:
    for _ in range(50):
        window = random_window(np.zeros((90, 120, 3), np.uint8), rng, 24.0)
        (x, y), inside = (window[:, :2] @ (60, 45) + window[:, 2]).tolist(), 64 / np.hypot(*window[:, 0])
        assert 24 <= inside <= 90
        assert -200 < x < 264
        assert -200 < y < 264


def test_a_mirrored_face_has_its_left_eye_on_the_left() -> None:
    picture, there = mirror_face(FACE, LANDMARKS)
    assert np.array_equal(picture, FACE[:, ::-1])
    assert there[0, 0] < there[1, 0]
    assert there[3, 0] < there[4, 0]
    assert np.allclose(mirror_face(picture, there)[1], LANDMARKS)
