"""What one change of the whole face explains of the difference between two frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from faces_in_motion import POINTS, portrait

from gpen_fast.video.trend import trend_share

X, Y = POINTS.mean(axis=0).astype(int)
FACE = cv2.cvtColor(
    cv2.resize(portrait()[Y - 110 : Y + 110, X - 110 : X + 110], (64, 64)), cv2.COLOR_RGB2GRAY
)
FACE = cv2.GaussianBlur(FACE.astype(np.float32), (0, 0), 2.0)
WHOLE = torch.ones(1, 1, 64, 64)


def share(after: np.ndarray, weight: torch.Tensor = WHOLE) -> float:
    before = torch.from_numpy(FACE)[None, None]
    return trend_share(before, torch.from_numpy(after.astype(np.float32))[None, None] - before, weight)


def turned(degrees: float = 0.0, scale: float = 1.0, x: float = 0.0) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((31.5, 31.5), degrees, scale)
    matrix[:, 2] += (x, 0)
    return cv2.warpAffine(FACE, matrix, (64, 64), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize(
    "after",
    [turned(x=0.5), turned(degrees=0.5), turned(scale=1.01), cv2.GaussianBlur(FACE, (0, 0), 0.6)],
    ids=["moved", "turned", "grown", "blurred"],
)
def test_a_change_of_the_whole_explains_nearly_all(after: np.ndarray) -> None:
    assert share(after) > 0.85


def test_noise_nothing_and_a_change_of_one_part_are_explained_by_none() -> None:
    noise = np.random.default_rng(0).normal(0, 1, FACE.shape)
    assert share(FACE + noise) < 0.05
    assert share(FACE + 1e-3) < 0.05
    opened = FACE.copy()
    cv2.ellipse(opened, (32, 46), (9, 6), 0, 0, 360, 20, -1)
    assert share(opened) < 0.5


def test_what_weighs_nothing_is_not_compared() -> None:
    covered = turned(x=0.5)
    covered[:, 40:] = 20
    seen = WHOLE.clone()
    seen[..., 38:] = 0
    assert share(covered) < 0.5
    assert share(covered, seen) > 0.85
