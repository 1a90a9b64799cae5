"""Batched damage has the distribution of the damage done by OpenCV, and clean faces stay clean."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from portraits import small_faces

from gpen_fast.training.degrade import Damage, DamageRanges, degrade, held_out_damage
from gpen_fast.training.lite.damage import CleanInput, degrade_batch, draw_damages

SIDE, NUMBER = 64, 120
FACES = small_faces(NUMBER, SIDE)


def batched(faces: np.ndarray, damages: list[Damage], seed: int = 0) -> np.ndarray:
    planes = torch.from_numpy(faces).permute(0, 3, 1, 2).float()
    out = degrade_batch(planes, damages, torch.Generator().manual_seed(seed))
    return out.permute(0, 2, 3, 1).byte().numpy()


def figures(damaged: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(N,4): PSNR, sharpness, noise level, blockiness of each face."""
    out = []
    for ours, face in zip(damaged, faces, strict=True):
        grey = cv2.cvtColor(ours, cv2.COLOR_RGB2GRAY).astype(np.float32)
        steps = np.abs(np.diff(grey, axis=1))
        mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
        noise = np.abs(cv2.filter2D(grey, -1, mask)).mean() * np.sqrt(np.pi / 2) / 6
        blocks = steps[:, 7::8].mean() - np.delete(steps, np.s_[7::8], 1).mean()
        error = np.mean((ours.astype(float) - face) ** 2)
        out.append((10 * np.log10(255**2 / error), cv2.Laplacian(grey, cv2.CV_32F).std(), noise, blocks))
    return np.array(out)


def test_figures_have_the_quantiles_of_opencvs_damage() -> None:
    """The limits, as parts of the faces' spread, are what two draws of OpenCV's own damage differ by."""
    rng = np.random.default_rng(1)
    damages = draw_damages(rng, NUMBER, DamageRanges(), CleanInput())
    ours = figures(batched(FACES, damages), FACES)
    theirs = figures(
        np.stack([degrade(face, damage, rng) for face, damage in zip(FACES, damages, strict=True)]), FACES
    )
    for part in (0.1, 0.5, 0.9):
        apart = np.abs(np.quantile(ours, part, axis=0) - np.quantile(theirs, part, axis=0))
        assert (apart <= np.array([0.15, 0.15, 0.2, 0.45]) * theirs.std(axis=0)).all(), (part, apart)


@pytest.mark.parametrize(
    ("damage", "limit"),
    [(Damage(2.3, 0.8, 0.0, None), 0.3), (Damage(2.3, 0.8, 0.0, 70), 1.0)],
    ids=["plain", "jpeg"],
)
def test_without_noise_pixels_are_opencvs(damage: Damage, limit: float) -> None:
    theirs = np.stack([degrade(face, damage, np.random.default_rng(0)) for face in FACES[:6]])
    assert np.abs(batched(FACES[:6], [damage] * 6).astype(float) - theirs).mean() < limit


def test_faces_do_not_depend_on_their_neighbours() -> None:
    large, small = held_out_damage(1.5), held_out_damage(6.0)
    quiet = [Damage(each.factor, each.blur, 0.0, 75) for each in (large, small)]
    alone = [batched(FACES[i : i + 1], [quiet[i]])[0] for i in range(2)]
    assert all(np.array_equal(one, both) for one, both in zip(alone, batched(FACES[:2], quiet), strict=True))


def test_clean_faces_come_through_unchanged_and_nearly_clean_ones_nearly() -> None:
    rng = np.random.default_rng(2)
    damages = draw_damages(rng, 400, DamageRanges(), CleanInput(whole=0.25, nearly=0.25))
    whole = [damage for damage in damages if damage == Damage(1.0, 0.0, 0.0, None)]
    nearly = [d for d in damages if d.factor <= 1.3 and d.noise <= 2 and (d.quality or 0) >= 88]
    assert 70 <= len(whole) <= 130
    assert 70 <= len(nearly) <= 135
    assert np.array_equal(batched(FACES[:2], whole[:2]), FACES[:2])
    assert figures(batched(FACES[:8], nearly[:8]), FACES[:8])[:, 0].min() > 29


def test_noise_of_grey_pictures_is_grey() -> None:
    grey = np.full((1, SIDE, SIDE, 3), 128, np.uint8)
    same = batched(grey, [Damage(1.0, 0.0, 9.0, None, grey_noise=True)])[0]
    assert np.array_equal(same[..., 0], same[..., 2])
    assert same.std() == pytest.approx(9, rel=0.05)
    coloured = batched(grey, [Damage(1.0, 0.0, 9.0, None)])[0]
    assert not np.array_equal(coloured[..., 0], coloured[..., 2])
