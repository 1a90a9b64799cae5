"""The held-out test computes the published measures on damage that is always the same."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from portraits import small_faces
from torch import Tensor

from gpen_fast.training.metrics import damaged_faces, held_out_table, quality, restored_faces

FACES = small_faces(3, size=64)


def test_a_network_that_returns_its_input_gains_nothing() -> None:
    rows = held_out_table(lambda faces: faces, FACES)
    assert [row.factor for row in rows] == [1.5, 3.0, 4.0, 6.0]
    assert all(row.damaged == row.restored for row in rows)
    assert [row.damaged.psnr for row in rows] == sorted((row.damaged.psnr for row in rows), reverse=True)


def test_psnr_is_that_of_the_mean_square_error() -> None:
    shifted = np.clip(FACES.astype(int) + 5, 0, 255).astype(np.uint8)
    squares = [(a.astype(float) - b) ** 2 for a, b in zip(shifted, FACES, strict=True)]
    wanted = np.mean([10 * np.log10(255**2 / each.mean()) for each in squares])
    assert quality(shifted, FACES).psnr == pytest.approx(wanted)


def test_a_perfect_face_has_all_the_energy_and_a_blurred_one_less() -> None:
    softer = np.stack([cv2.GaussianBlur(face, (0, 0), 2) for face in FACES])
    blurred = quality(softer, FACES)
    assert blurred.energy < 0.5
    assert blurred.correlation < 0.9
    assert blurred.ssim < 1
    noisy = np.clip(FACES + np.random.default_rng(0).normal(0, 9, FACES.shape), 0, 255).astype(np.uint8)
    assert quality(noisy, FACES).energy > 1
    assert quality(noisy, FACES).correlation < 1


def test_the_test_is_the_same_each_time_and_each_face_has_its_own_noise() -> None:
    alike = np.stack([FACES[0], FACES[0]])
    one, other = damaged_faces(alike, 3.0, seed=0)
    assert not np.array_equal(one, other)
    assert np.array_equal(damaged_faces(alike, 3.0, 0), damaged_faces(alike, 3.0, 0))
    assert np.array_equal(one, damaged_faces(FACES, 3.0, 0)[0])


def test_the_batch_size_does_not_change_the_result() -> None:
    def darker(faces: Tensor) -> Tensor:
        assert faces.dtype == torch.float32
        return faces * 2 - 0.3

    together, alone = restored_faces(darker, FACES, 3), restored_faces(darker, FACES, 1)
    assert np.array_equal(together, alone)
    assert together.min() == 0
