"""The pictures without faces are the same in every run."""

from __future__ import annotations

import numpy as np

from gpen_fast.training.landmarks.scenes import face_free_scenes


def test_scenes_are_the_same_each_time() -> None:
    once, twice = face_free_scenes(), face_free_scenes()
    assert all(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))
    assert all(scene.dtype == np.uint8 and scene.ndim == 3 and min(scene.shape[:2]) > 100 for scene in once)
