"""Matrices blur and resize as OpenCV does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from portraits import small_faces

from gpen_fast.training.lite.resample import (
    blur_matrices,
    canvas_for,
    repeat_borders,
    resampled,
    resize_matrices,
)

FACE = small_faces(1, 64)[0]


def planes(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def apart(ours: torch.Tensor, theirs: np.ndarray) -> float:
    return float((ours - planes(theirs)).abs().max())


@pytest.mark.parametrize("sigma", [0.3, 0.7, 1.6, 4.8])
def test_blurs_as_opencv(sigma: float) -> None:
    ours = resampled(planes(FACE), blur_matrices(torch.tensor([sigma]), 64))
    assert apart(ours, cv2.GaussianBlur(FACE, (0, 0), sigma)) <= 1


def test_no_blur_changes_nothing_beside_a_blurred_picture() -> None:
    both = torch.cat([planes(FACE)] * 2)
    assert torch.equal(resampled(both, blur_matrices(torch.tensor([0.0, 2.0]), 64))[0], both[0])


@pytest.mark.parametrize("kind", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4])
@pytest.mark.parametrize("small", [64, 37, 20, 9])
def test_resizes_as_opencv_both_ways(kind: int, small: int) -> None:
    """OpenCV's area enlarges by its linear taps, which no damage does."""
    big, little, kinds = torch.tensor([64]), torch.tensor([small]), torch.tensor([kind])
    canvas = canvas_for([small], 64)
    wanted = cv2.resize(FACE, (small, small), interpolation=kind)
    down = resampled(planes(FACE), resize_matrices(big, little, kinds, canvas, 64))
    assert apart(down[:, :, :small, :small], wanted) <= 1
    assert torch.equal(down, repeat_borders(down, little))
    if kind != cv2.INTER_AREA:
        up = resampled(repeat_borders(down, little), resize_matrices(little, big, kinds, 64, canvas))
        again = down[0, :, :small, :small].byte().permute(1, 2, 0).numpy()
        assert apart(up, cv2.resize(again, (64, 64), interpolation=kind)) <= 1


def test_a_canvas_holds_whole_blocks_of_the_largest_picture() -> None:
    assert [canvas_for(sides, 256) for sides in ([1], [16, 3], [17], [250])] == [16, 16, 32, 256]
