"""A face averaged along its frames: noise and boiling texture become less, what moves stays sharp, light stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from expressions import with_expression
from faces_in_motion import POINTS, portrait

from gpen_fast.video.steady import FaceMemory, kept_share, steadied

SIDE = 256
X, Y = POINTS.mean(axis=0).astype(int)
CROP = cv2.resize(portrait()[Y - 110 : Y + 110, X - 110 : X + 110], (SIDE, SIDE))


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.clip(np.rint(pixels), 0, 255).astype(np.uint8).transpose(2, 0, 1).copy())


def noisy(seed: int, deviation: float, pixels: np.ndarray = CROP) -> torch.Tensor:
    return tensor(pixels + np.random.default_rng(seed).normal(0, deviation, pixels.shape))


def error(made: torch.Tensor, truth: np.ndarray) -> float:
    return float((made.permute(1, 2, 0).numpy().astype(float) - truth).std())


def error_of(made: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(made.astype(float) - truth).mean()))


def after(crops: list[torch.Tensor], restored: list[torch.Tensor], kept: float = 0.6):
    memory: FaceMemory | None = None
    for crop, made in zip(crops, restored, strict=True):
        face = steadied(memory, crop, made, None, kept)
        memory = face.memory
    return face


def test_the_first_frame_and_a_share_of_none_change_nothing() -> None:
    crop, made = noisy(0, 8), noisy(1, 5)
    for face in (steadied(None, crop, made, None, 0.6), after([noisy(2, 8), crop], [noisy(3, 5), made], 0.0)):
        assert (face.crop.int() - crop.int()).abs().max() <= 1
        assert (face.restored.int() - made.int()).abs().max() <= 1


def test_noise_and_texture_that_boil_become_less() -> None:
    crops, made = [noisy(at, 10) for at in range(12)], [noisy(50 + at, 6) for at in range(12)]
    face = after(crops, made)
    assert error(face.crop, CROP) < 0.65 * error(crops[0], CROP)
    assert error(face.restored, CROP) < 0.65 * error(made[0], CROP)


def test_what_changes_is_not_smeared() -> None:
    """A mouth opens: where it is, the frame counts alone; elsewhere noise is still averaged."""
    opened = CROP.copy()
    cv2.ellipse(opened, (128, 190), (36, 24), 0, 0, 360, (40, 10, 10), -1)
    crops = [noisy(at, 4) for at in range(8)] + [noisy(9, 4, opened)]
    face = after(crops, crops, 0.8)
    mouth, cheek = (slice(178, 202), slice(104, 152)), (slice(60, 100), slice(60, 190))
    made, truth = face.restored.permute(1, 2, 0).numpy().astype(float), opened.astype(float)
    assert abs((made - truth)[mouth].mean()) < 3
    assert (made - truth)[cheek].std() < 0.7 * 4


def test_a_mouth_that_speaks_in_noise_is_as_sharp_as_in_each_frame_alone() -> None:
    """The lips of a small face change by little more than noise."""
    points = tuple(map(tuple, (POINTS - (X - 110, Y - 110)) * SIDE / 220))
    frames = [with_expression(CROP.astype(np.float32), points, 0.2 * (at % 4), 0.0) for at in range(7)]
    crops = [noisy(at, 20, cv2.GaussianBlur(each, (0, 0), 3)) for at, each in enumerate(frames)]
    truth = cv2.GaussianBlur(frames[-1], (0, 0), 3)
    mouth = slice(150, 240), slice(80, 180)
    face = after(crops, crops)
    made, alone = (each.permute(1, 2, 0).numpy()[mouth] for each in (face.restored, crops[-1]))
    assert error_of(made, truth[mouth]) < error_of(alone, truth[mouth])
    # Of what a pixel alone cannot tell from noise, too: at an eighth of the size.
    small = [
        cv2.resize(each.astype(np.float32), (12, 11), interpolation=cv2.INTER_AREA)
        for each in (made, truth[mouth])
    ]
    assert error_of(*small) < 4


def test_a_blurred_face_that_comes_nearer_is_not_blurred_more() -> None:
    frames = [tensor(cv2.GaussianBlur(CROP.astype(np.float32), (0, 0), 6 / 1.04**at)) for at in range(12)]
    face = after(frames, frames)
    kept = np.abs(face.restored.numpy().astype(float) - frames[-1].numpy())
    step = np.abs(frames[-2].numpy().astype(float) - frames[-1].numpy())
    assert kept.mean() < 0.5 * step.mean()


def test_light_that_changes_everywhere_is_not_late() -> None:
    crops = [tensor(CROP * (0.4 + 0.05 * at)) for at in range(10)]
    face = after(crops, crops)
    made = face.restored.permute(1, 2, 0).numpy().astype(float)
    assert abs(made.mean() - (CROP * 0.85).mean()) < 1.0


def test_a_face_that_moves_as_a_whole_is_not_smeared() -> None:
    frames = [tensor(np.roll(CROP, 9 * at, axis=1)) for at in range(6)]
    face = after(frames, frames, 0.8)
    assert error(face.restored, np.roll(CROP, 45, axis=1)) < 0.35 * error(
        after(frames, frames, 0.0).restored, CROP
    )
    assert face.memory.noise <= 4.0


def test_the_need_is_averaged_and_sixteen_bits_stay() -> None:
    needs = [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])]
    crop = (noisy(0, 5).to(torch.int32) * 257).to(torch.uint16)
    first = steadied(None, crop, crop, needs[0], 0.75)
    second = steadied(first.memory, crop, crop, needs[1], 0.75)
    assert second.need.tolist() == pytest.approx([0.75, 0.25])
    assert second.crop.dtype == torch.uint16
    assert (second.crop.to(torch.int32) - crop.to(torch.int32)).abs().max() <= 257


def test_the_share_is_that_of_a_time() -> None:
    assert kept_share(0.0, 0.04) == 0.0
    assert kept_share(0.5, 0.04) == pytest.approx(kept_share(0.5, 0.02) ** 2)
    assert 0.6 < kept_share(0.5, 0.04) < 0.7
    assert kept_share(1.0, 0.04) == 0.95
