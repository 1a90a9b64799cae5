"""Both distances are 0 for equal faces, and grow with what a person sees."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from portraits import small_faces

from gpen_fast.training.lite.features import RandomFeatures, wavelet_distance


def planes(faces: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 127.5 - 1


FACES = small_faces(3, 64)
BLURRED = planes(np.stack([cv2.GaussianBlur(face, (0, 0), 1.5) for face in FACES]))
NOISY = planes(np.clip(FACES + np.random.default_rng(0).normal(0, 15, FACES.shape), 0, 255).astype(np.uint8))
LIGHTER = planes(np.clip(FACES.astype(int) + 4, 0, 255).astype(np.uint8))


def test_wavelets_see_blur_and_noise_and_hardly_light() -> None:
    original = planes(FACES)
    assert wavelet_distance(original, original).max() == 0
    slight = wavelet_distance(LIGHTER, original).mean()
    assert wavelet_distance(BLURRED, original).mean() > 5 * slight
    assert wavelet_distance(NOISY, original).mean() > 5 * slight


def test_wavelets_measure_each_picture_alone() -> None:
    original = planes(FACES)
    alone = wavelet_distance(BLURRED[1:2], original[1:2])
    assert torch.allclose(wavelet_distance(BLURRED, original)[1:2], alone, rtol=1e-4)


def test_random_features_are_the_same_in_every_process_and_pull_towards_the_original() -> None:
    original, blurred = planes(FACES), BLURRED.clone().requires_grad_()
    features = RandomFeatures()
    before = features.distance(blurred, original, torch.float32)
    assert torch.equal(before, RandomFeatures().distance(blurred, original, torch.float32))
    assert features.distance(original, original, torch.float32) == 0
    before.backward()
    assert (
        features.distance(blurred - blurred.grad / blurred.grad.abs().max() * 0.02, original, torch.float32)
        < before
    )
    assert not list(features.parameters())
