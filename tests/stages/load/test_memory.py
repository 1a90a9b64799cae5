"""Pictures in memory become frames of their own, or are refused with what is accepted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import photo
from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import load

CPU = torch.device("cpu")


def test_colour_picture_without_colour_is_grey_and_remembers_its_channels() -> None:
    grey = photo(channels=1)
    frame = load(np.stack([grey] * 3, axis=-1), CPU)
    assert frame.pixels.shape[0] == 1
    assert frame.channels == 3
    almost = np.stack([grey] * 3, axis=-1)
    almost[17, 23, 2] ^= 1
    assert load(almost, CPU).pixels.shape[0] == 3


def test_arrays_tensors_and_pil_give_the_same_frame() -> None:
    array = photo()
    wanted = load(array, CPU)
    chw = torch.from_numpy(array).permute(2, 0, 1)
    for same in (Image.fromarray(array), chw, chw.contiguous()):
        assert torch.equal(load(same, CPU).pixels, wanted.pixels)
    array[:] = 0
    assert wanted.pixels.float().mean() > 50, "the frame must not share the caller's memory"


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros(4, np.uint8)]
)
def test_wrong_arrays_say_what_is_accepted(bad: np.ndarray) -> None:
    with pytest.raises(
        PictureError, match=r"an array of shape \(.*accepted is \(H,W\) or \(H,W,1\|3\|4\), RGB, uint8"
    ):
        load(bad, CPU)


def test_wrong_kinds_and_empty_pictures() -> None:
    with pytest.raises(PictureError, match="a list is not a picture: accepted are a path"):
        load([1, 2], CPU)
    with pytest.raises(
        PictureError, match=r"a tensor of shape \(5, 4, 4\), uint8: accepted is \(1\|3\|4,H,W\)"
    ):
        load(torch.zeros(5, 4, 4, dtype=torch.uint8), CPU)
    with pytest.raises(PictureError, match="not empty"):
        load(np.zeros((0, 5, 3), np.uint8), CPU)
