"""Named values are checked where they are made."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpen_fast.errors import PictureError
from gpen_fast.types import Face, FaceBatch, Frame


@pytest.mark.parametrize(
    "pixels",
    [torch.zeros(2, 4, 4, dtype=torch.uint8), torch.zeros(3, 4, 4), torch.zeros(3, 0, 4, dtype=torch.uint8)],
)
def test_frame_refuses_other_shapes_and_dtypes(pixels: torch.Tensor) -> None:
    with pytest.raises(
        PictureError, match=r"a picture of shape \(.*accepted is \(1\|3,H,W\) uint8 or uint16"
    ):
        Frame(pixels)


def test_frame_refuses_alpha_that_does_not_fit() -> None:
    pixels = torch.zeros(3, 4, 5, dtype=torch.uint8)
    for alpha in (torch.zeros(1, 5, 4, dtype=torch.uint8), torch.zeros(1, 4, 5, dtype=torch.uint16)):
        with pytest.raises(PictureError, match=r"alpha of shape .*accepted is \(1,4,5\), torch\.uint8"):
            Frame(pixels, alpha)


def test_batch_and_landmarks() -> None:
    with pytest.raises(PictureError, match=r"crops of shape \(1, 3, 4, 5\)"):
        FaceBatch(torch.zeros(1, 3, 4, 5, dtype=torch.uint8), np.zeros((1, 2, 3)))
    with pytest.raises(PictureError, match=r"matrices of shape \(2, 2, 3\): accepted is \(1,2,3\)"):
        FaceBatch(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), np.zeros((2, 2, 3)))
    with pytest.raises(PictureError, match=r"landmarks of shape \(4, 2\): accepted is \(5,2\)"):
        Face((0, 0, 1, 1), 1.0, np.zeros((4, 2)))
