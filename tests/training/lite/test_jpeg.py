"""The batched JPEG loses what libjpeg loses: pixels differ by less than a level in the mean, the error by 0.15 dB."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from portraits import small_faces

from gpen_fast.training.lite.jpeg import through_jpeg


def libjpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    done, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]


def canvas(picture: np.ndarray) -> torch.Tensor:
    beyond = -len(picture) % 16
    return torch.from_numpy(np.pad(picture, ((0, beyond), (0, beyond), (0, 0)), mode="edge")).permute(2, 0, 1)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("side", [96, 83])
@pytest.mark.parametrize("quality", [10, 35, 49, 50, 65, 75, 85, 95, 100])
def test_loses_what_libjpeg_loses(side: int, quality: int) -> None:
    faces = small_faces(4, side)
    pictures = torch.stack([canvas(face) for face in faces]).float()
    ours = through_jpeg(pictures, torch.full((4,), quality), torch.full((4,), side))
    for face, mine in zip(faces, ours.permute(0, 2, 3, 1).numpy()[:, :side, :side], strict=True):
        theirs = libjpeg(face, quality)
        assert np.abs(mine - theirs).mean() < 0.8
        assert abs(psnr(mine, face) - psnr(theirs, face)) < 0.15


def test_each_picture_has_its_own_quality_and_none_changes_nothing() -> None:
    pictures = torch.stack([canvas(face) for face in small_faces(3, 64)]).float()
    sides = torch.full((3,), 64)
    mixed = through_jpeg(pictures, torch.tensor([20, 0, 95]), sides)
    assert torch.equal(mixed[0], through_jpeg(pictures, torch.full((3,), 20), sides)[0])
    assert torch.equal(mixed[1], pictures[1])
    assert torch.equal(mixed[2], through_jpeg(pictures, torch.full((3,), 95), sides)[2])
