"""Flicker and jitter."""

from __future__ import annotations

import numpy as np
import pytest
from faces_in_motion import POINTS, frame_of, moved_by, portrait, shown, similarity

from gpen_fast.video.motion import cut_patch, patch_window
from gpen_fast.video.score import FaceMeter, face_flicker, landmark_jitter, scores_of, shake


def noisy(seed: int, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, deviation, portrait().shape)
    return np.clip(portrait() + noise, 0, 255).astype(np.uint8)


def test_flicker_is_noise_and_not_motion() -> None:
    def patch(at: int, deviation: float) -> np.ndarray:
        matrix = similarity(x=6.0 * at)
        return cut_patch(shown(matrix, noisy(at, deviation)), patch_window(moved_by(matrix)))

    quiet, loud = (face_flicker(patch(0, deviation), patch(1, deviation)) for deviation in (0.0, 20.0))
    assert quiet < 1.5
    assert loud > quiet + 5


def test_shaking_is_the_deviation_of_white_noise_whatever_the_motion() -> None:
    rng, times = np.random.default_rng(0), np.arange(400)[:, None, None]
    path = POINTS + times * (1.5, -0.5) + rng.normal(0, 0.5, (400, 5, 2))
    assert shake(path) == pytest.approx(0.5, rel=0.05)
    assert shake(path[:2]) == 0.0
    truth = POINTS + times * (1.5, -0.5)
    assert landmark_jitter(path + 3, truth) == pytest.approx(
        0.5 / np.hypot(*(POINTS[1] - POINTS[0])), rel=0.1
    )


def test_a_meter_tells_before_from_after() -> None:
    meter, total = FaceMeter(), {}
    for at in range(4):
        measured = POINTS + np.random.default_rng(at).normal(0, 1, (5, 2))
        counts = meter.frame(frame_of(noisy(at, 15.0)), frame_of(noisy(at, 3.0)), {7: (measured, POINTS)})
        total = {name: total.get(name, 0) + count for name, count in counts.items()}
    flicker, jitter = scores_of(total)
    assert flicker is not None
    assert jitter is not None
    assert flicker[0] > 3 * flicker[1] > 0
    assert jitter[0] > 0.005
    assert jitter[1] == 0
    assert scores_of(meter.frame(frame_of(portrait()), frame_of(portrait()), {})) == (None, None)
