"""A face averaged along its frames: noise and boiling texture become less, what moves stays sharp, light stays."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest
import torch
from clips import CLIPS, damaged
from faces_in_motion import POINTS, portrait

from gpen_fast.image.similarity import similarities
from gpen_fast.video.steady import FaceMemory, kept_share, steadied

SIDE = 256
# Eyes, nose and corners of the mouth in a crop, and the rows and columns around the mouth.
PLACES = np.array([[88.0, 104.0], [168.0, 104.0], [128.0, 150.0], [94.0, 188.0], [162.0, 188.0]])
MOUTH = slice(165, 235), slice(85, 172)
X, Y = POINTS.mean(axis=0).astype(int)
CROP = cv2.resize(portrait()[Y - 110 : Y + 110, X - 110 : X + 110], (SIDE, SIDE))


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.clip(np.rint(pixels), 0, 255).astype(np.uint8).transpose(2, 0, 1).copy())


def noisy(seed: int, deviation: float, pixels: np.ndarray = CROP) -> torch.Tensor:
    return tensor(pixels + np.random.default_rng(seed).normal(0, deviation, pixels.shape))


def error(made: torch.Tensor, truth: np.ndarray) -> float:
    return float((made.permute(1, 2, 0).numpy().astype(float) - truth).std())


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


@pytest.mark.parametrize(("deviation", "averages"), [(0.0, False), (2.0, False), (12.0, True)])
def test_a_face_that_is_left_as_found_is_averaged_only_where_frames_have_noise(
    deviation: float, averages: bool
) -> None:
    shifts = [
        cv2.warpAffine(CROP, np.float64([[1, 0, 0.3 * (at % 3)], [0, 1, 0]]), (SIDE, SIDE)) for at in range(9)
    ]
    crops = [noisy(at, deviation, each) for at, each in enumerate(shifts)]
    face = after(crops, crops)
    added = (face.crop.int() - face.own.int()).abs().float().mean()
    assert (added > 2) if averages else (added < 0.25)
    if averages:
        assert torch.equal(face.own, crops[-1])


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


def test_a_mouth_that_speaks_in_noise_is_as_near_to_the_truth_as_in_each_frame_alone() -> None:
    """The lips of a small face change by little more than noise; the network's place is taken by a blur."""
    memory, steady, alone = None, [], []
    for at, frame in enumerate(islice(CLIPS["talking"].frames(60, 270), 16)):
        matrix = similarities(frame.landmarks["grace_hopper.jpg"][None], PLACES)[0]
        clean, crop = (
            cv2.warpAffine(each.astype(np.float32), matrix, (SIDE, SIDE))
            for each in (frame.pixels, damaged(frame.pixels, at, noise=12))
        )
        truth, made = (cv2.GaussianBlur(each, (0, 0), 4)[MOUTH] for each in (clean, crop))
        face = steadied(memory, tensor(crop), tensor(cv2.GaussianBlur(crop, (0, 0), 4)), None, 0.66)
        memory = face.memory
        steady.append(np.square(face.restored.permute(1, 2, 0).numpy()[MOUTH] - truth).mean())
        alone.append(np.square(made - truth).mean())
    assert np.mean(steady) < np.mean(alone)


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
