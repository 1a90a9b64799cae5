"""Damage has the configured strength and is reproducible."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from portraits import small_faces

from gpen_fast.training.degrade import Damage, DamageRanges, degrade, draw_damage, held_out_damage

FACE = small_faces(1, size=96)[0]


def rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("factor", [1.0, 1.5, 3.0, 4.0, 6.0, 96.0, 200.0])
def test_keeps_size_and_type(factor: float) -> None:
    out = degrade(FACE, held_out_damage(factor), rng())
    assert out.shape == FACE.shape
    assert out.dtype == np.uint8


def test_the_fixed_damage_is_the_published_chain() -> None:
    blurred = cv2.GaussianBlur(FACE, (0, 0), 4 / 3)
    small = cv2.resize(blurred, (24, 24), interpolation=cv2.INTER_CUBIC)
    grain = rng().standard_normal(small.shape, dtype=np.float32) * 5
    small = np.clip(np.rint(small + grain), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
    small = np.array(Image.open(io.BytesIO(data.tobytes())))
    wanted = cv2.resize(small, (96, 96), interpolation=cv2.INTER_CUBIC)
    difference = np.abs(degrade(FACE, held_out_damage(4.0), rng()).astype(int) - wanted)
    assert difference.max() <= 2  # two JPEG decoders


def test_no_damage_is_no_change() -> None:
    assert np.array_equal(degrade(FACE, Damage(1.0, 0.0, 0.0, None), rng()), FACE)


def test_the_same_numbers_do_the_same_damage() -> None:
    assert np.array_equal(
        degrade(FACE, held_out_damage(3.0), rng(1)), degrade(FACE, held_out_damage(3.0), rng(1))
    )
    assert not np.array_equal(
        degrade(FACE, held_out_damage(3.0), rng(1)), degrade(FACE, held_out_damage(3.0), rng(2))
    )


def test_noise_has_the_strength_that_was_asked_for() -> None:
    grey = np.full((96, 96, 3), 128, np.uint8)
    noisy = degrade(grey, Damage(1.0, 0.0, 8.0, None), rng()).astype(float)
    assert noisy.std() == pytest.approx(8.0, rel=0.05)
    alike = degrade(grey, Damage(1.0, 0.0, 8.0, None, grey_noise=True), rng())
    assert np.array_equal(alike[..., 0], alike[..., 2])


def test_a_larger_factor_leaves_less() -> None:
    detail = [
        np.abs(np.diff(degrade(FACE, held_out_damage(f), rng()).astype(float), axis=0)).mean()
        for f in (1.5, 4, 12)
    ]
    assert detail == sorted(detail, reverse=True)


def test_random_damage_stays_in_its_ranges() -> None:
    ranges = DamageRanges(factor=(2.0, 5.0), blur=(0.1, 0.9), noise=(1.0, 9.0), quality=(40, 60), typical=0.0)
    for _ in range(200):
        damage = draw_damage(rng := np.random.default_rng(), ranges)
        assert 2.0 <= damage.factor <= 5.0
        assert 0.1 <= damage.blur / damage.factor <= 0.9
        assert 1.0 <= damage.noise <= 9.0
        assert 40 <= (damage.quality or 0) <= 60
        assert rng is not None
