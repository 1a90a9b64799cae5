"""CMYK, YCCK and Lab are what LittleCMS makes of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from formats import CMYK
from helpers import photo
from PIL import Image, ImageCms

from gpen_fast.stages.load import load

CPU = torch.device("cpu")
# Of Debian's packages icc-profiles-free and libgs-common; any profile of CMYK serves.
PROFILES = [
    path
    for path in (
        Path("/usr/share/color/icc/ghostscript/default_cmyk.icc"),
        Path("/usr/share/color/icc/ghostscript/ps_cmyk.icc"),
    )
    if path.exists()
]
needs_profile = pytest.mark.skipif(not PROFILES, reason="no CMYK profile is installed (libgs-common)")


def by_littlecms(image: Image.Image, icc: bytes) -> np.ndarray:
    profile, srgb = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB"))


def read(path: Path) -> np.ndarray:
    return load(path, CPU).pixels.permute(1, 2, 0).numpy()


@needs_profile
@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_through_its_profile(tmp_path: Path, suffix: str) -> None:
    icc = PROFILES[0].read_bytes()
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(photo()).convert("CMYK").save(path, icc_profile=icc)
    with Image.open(path) as image:
        wanted = by_littlecms(image, icc)
        plain = np.asarray(image.convert("RGB"))
    assert np.abs(read(path).astype(int) - wanted).max() <= 2
    assert np.abs(plain.astype(int) - wanted).max() > 20, "the profile makes a difference"
    frame = load(path, CPU)
    assert frame.icc is None
    assert frame.note == "its CMYK colours are converted to sRGB through its profile."
    assert frame.unkept == "CMYK colours"


@pytest.mark.parametrize("icc", [None, CMYK])
def test_cmyk_without_a_profile_that_works(tmp_path: Path, icc: bytes | None) -> None:
    path = tmp_path / "a.tif"
    image = Image.fromarray(photo()).convert("CMYK")
    image.save(path, icc_profile=icc)
    cyan, _, _, black = (band.astype(int) for band in np.asarray(image).transpose(2, 0, 1))
    red = (255 - cyan) * (255 - black) / 255
    assert np.abs(read(path)[:, :, 0] - red).max() <= 2
    assert "without a profile: their shade is a guess." in load(path, CPU).note


def test_lab(tmp_path: Path) -> None:
    lab = ImageCms.profileToProfile(
        Image.fromarray(photo()),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    lab.save(tmp_path / "a.tif")
    wanted = by_littlecms(lab, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    assert np.abs(read(tmp_path / "a.tif").astype(int) - wanted).max() <= 2
    assert np.abs(read(tmp_path / "a.tif").astype(int) - photo()).mean() < 3
    assert load(tmp_path / "a.tif", CPU).unkept == "Lab colours"


@needs_profile
def test_a_pil_image_of_cmyk_goes_through_its_profile() -> None:
    icc = PROFILES[0].read_bytes()
    image = Image.fromarray(photo()).convert("CMYK")
    image.info["icc_profile"] = icc
    got = load(image, CPU).pixels.permute(1, 2, 0).numpy()
    assert np.abs(got.astype(int) - by_littlecms(image, icc)).max() <= 2
