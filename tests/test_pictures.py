"""`load_image` and `save_image`: the Frame's contract for other programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from formats import SRGB
from helpers import photo, write_photo
from PIL import Image

import gpen_fast
from gpen_fast.errors import PictureError


def test_picture_goes_round(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo(channels=4)).save(tmp_path / "a.png", icc_profile=SRGB, dpi=(300, 300), exif=exif)
    frame = gpen_fast.load_image(str(tmp_path / "a.png"))
    assert isinstance(frame, gpen_fast.Frame)
    assert frame.pixels.shape == (3, 80, 60)
    assert frame.pixels.dtype == torch.uint8
    assert frame.alpha is not None
    gpen_fast.save_image(frame, str(tmp_path / "b.png"))
    again = gpen_fast.load_image(tmp_path / "b.png")
    assert torch.equal(again.pixels, frame.pixels)
    assert torch.equal(again.alpha, frame.alpha)
    assert (again.icc, again.exif, again.dpi) == (frame.icc, frame.exif, frame.dpi)


@pytest.mark.parametrize("kind", ["array", "tensor", "pil"])
def test_whatever_load_takes_can_be_saved(tmp_path: Path, kind: str) -> None:
    array = photo(dtype=np.uint16) if kind != "pil" else photo()
    given = {
        "array": array,
        "tensor": torch.from_numpy(array).permute(2, 0, 1),
        "pil": Image.fromarray(photo()),
    }[kind]
    gpen_fast.save_image(given, tmp_path / "a.png")
    assert np.array_equal(gpen_fast.load_image(tmp_path / "a.png").pixels.permute(1, 2, 0).numpy(), array)


def test_quality_and_refusals(tmp_path: Path) -> None:
    for quality in (30, 95):
        gpen_fast.save_image(photo(), tmp_path / f"{quality}.jpg", quality=quality)
    assert (tmp_path / "30.jpg").stat().st_size < (tmp_path / "95.jpg").stat().st_size / 1.5
    with pytest.raises(PictureError, match=r"cannot write 'gif': accepted are jpg, png, tif, webp"):
        gpen_fast.save_image(photo(), tmp_path / "a.gif")
    with pytest.raises(PictureError, match="transparent in places"):
        gpen_fast.save_image(photo(channels=4), tmp_path / "a.jpg")
    assert not (tmp_path / "a.jpg").exists()
    with pytest.raises(PictureError, match="declares 80x60 pixels"):
        gpen_fast.load_image(write_photo(tmp_path / "b.png"), max_pixels=10)


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, gpen_fast; assert not {'torch', 'numpy', 'PIL', 'cv2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
