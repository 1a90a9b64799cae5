"""Transparent pictures on a colour, against Pillow's compositing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import photo
from PIL import Image

from gpen_fast.image.convert import to_array
from gpen_fast.image.flatten import flattened, is_transparent
from gpen_fast.stages.load.memory import from_array


@pytest.mark.parametrize("colour", [(255, 255, 255), (10, 200, 90), (0, 0, 0)])
@pytest.mark.parametrize("channels", [2, 4])
def test_equals_pillow(colour: tuple[int, int, int], channels: int) -> None:
    array = photo(300, 40, 4)[..., :channels]
    rgba = Image.fromarray(array, "LA" if channels == 2 else "RGBA").convert("RGBA")
    wanted = np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, (*colour, 255)), rgba))[..., :3]
    frame = flattened(from_array(array), colour)
    got = to_array(frame)
    assert frame.alpha is None
    grey = channels == 2 and len(set(colour)) == 1
    assert got.shape == ((300, 40) if grey else (300, 40, 3))
    got = np.stack([got] * 3, axis=-1) if grey else got
    assert np.abs(got.astype(int) - wanted).max() <= 1


def test_sixteen_bits_keep_their_depth() -> None:
    array = np.zeros((2, 2, 4), np.uint16)
    array[0, 0] = (1000, 2000, 3000, 65535)
    array[0, 1] = (65535, 0, 0, 32768)
    got = to_array(flattened(from_array(array), (255, 0, 128)))
    assert got.dtype == np.uint16
    assert got[0, 0].tolist() == [1000, 2000, 3000], "opaque pixels are untouched"
    assert got[1, 1].tolist() == [65535, 0, 128 * 257]
    assert np.allclose(got[0, 1], [65535, 0, 128 * 257 / 2], atol=2)


def test_grey_pixels_of_a_colour_picture_take_the_colour() -> None:
    array = np.dstack([photo(20, 30, 1)] * 4)
    for colour, shape in (((9, 9, 9), (1, 20, 30)), ((9, 9, 10), (3, 20, 30))):
        frame = flattened(from_array(array), colour)
        assert tuple(frame.pixels.shape) == shape
        assert frame.channels == 3


def test_opaque_alpha_is_no_transparency() -> None:
    array = photo(20, 30, 4)
    assert is_transparent(from_array(array))
    array[..., 3] = 255
    assert not is_transparent(from_array(array))
    assert not is_transparent(from_array(array[..., :3]))
    deep = from_array(np.full((4, 4, 4), 65535, np.uint16))
    assert not is_transparent(deep)
    deep.alpha[0, 2, 2] = torch.tensor(65534, dtype=torch.uint16)
    assert is_transparent(deep)
