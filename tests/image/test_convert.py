"""A frame becomes the kind of picture that the caller gave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from formats import SRGB
from helpers import photo
from PIL import Image

from gpen_fast.image.convert import like, to_array, to_pillow, to_tensor
from gpen_fast.image.exif import PIXEL_X_DIMENSION
from gpen_fast.types import Frame


def frame(channels: int = 3, alpha: bool = False, pixels: int = 3) -> Frame:
    array = photo(6, 8, 4)
    given = torch.from_numpy(array).permute(2, 0, 1)
    return Frame(given[:pixels], given[3:] if alpha else None, channels)


@pytest.mark.parametrize(("channels", "alpha", "shape"), [(1, False, (6, 8)), (1, True, (6, 8, 2)),
                                                          (3, False, (6, 8, 3)), (3, True, (6, 8, 4))])  # fmt: skip
def test_arrays_have_the_inputs_channels(channels: int, alpha: bool, shape: tuple[int, ...]) -> None:
    grey = frame(channels, alpha, pixels=1)
    array = to_array(grey)
    assert array.shape == shape
    assert np.array_equal(array.reshape(6, 8, -1)[..., 0], grey.pixels[0].numpy())
    if alpha:
        assert np.array_equal(array[..., -1], grey.alpha[0].numpy())
    assert to_tensor(grey).shape == (channels + alpha, 6, 8)


def test_kind_is_the_sources() -> None:
    colour, grey = frame(), frame(1, pixels=1)
    assert isinstance(like(torch.zeros(1), colour), torch.Tensor)
    pil = like(Image.new("RGB", (1, 1)), colour)
    assert isinstance(pil, Image.Image)
    assert np.array_equal(np.asarray(pil), to_array(colour))
    assert like(Path("a.png"), grey).shape == (6, 8)
    assert like(np.zeros((6, 8), np.uint8), grey).shape == (6, 8)
    assert like(np.zeros((6, 8, 1), np.uint8), grey).shape == (6, 8, 1)


def test_pil_images_carry_what_the_frame_does() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 1, "an artist"
    exif.get_ifd(0x8769)[PIXEL_X_DIMENSION] = 4000
    full = replace(frame(), exif=exif.tobytes(), icc=SRGB, xmp=b"<x/>", dpi=(300.0, 300.0))
    image = to_pillow(full)
    assert image.getexif()[0x013B] == "an artist"
    assert image.getexif().get_ifd(0x8769)[PIXEL_X_DIMENSION] == 8, "EXIF states the size of this picture"
    assert {name: image.info[name] for name in ("icc_profile", "xmp", "dpi")} == {
        "icc_profile": SRGB, "xmp": b"<x/>", "dpi": (300.0, 300.0),
    }  # fmt: skip
    assert to_pillow(frame()).info == {}
