"""A profile of grey that a file cannot hold is applied, as LittleCMS does it."""

from __future__ import annotations

import io
import struct

import numpy as np
from helpers import photo
from PIL import Image, ImageCms

from gpen_fast.image.colour_chunks import colour_profile
from gpen_fast.image.profiles import grey_as_srgb
from gpen_fast.types import MetadataBlock

LINEAR = colour_profile((MetadataBlock("png", "gAMA", struct.pack(">I", 100_000)),), 1)


def test_grey_becomes_what_its_profile_says() -> None:
    grey = Image.fromarray(photo(channels=1))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(LINEAR))
    wanted = ImageCms.profileToProfile(grey, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    got = grey_as_srgb(grey, LINEAR)
    assert np.array_equal(np.asarray(got), np.asarray(wanted))
    assert abs(grey_as_srgb(Image.new("L", (1, 1), 50), LINEAR).getpixel((0, 0))[0] - 122) <= 1


def test_alpha_stays_and_what_is_no_profile_changes_nothing() -> None:
    grey = Image.fromarray(photo(channels=2))
    got = grey_as_srgb(grey, LINEAR)
    assert got.mode == "RGBA"
    assert np.array_equal(np.asarray(got)[:, :, 3], photo(channels=2)[:, :, 1])
    for icc in (None, b"noise" * 60):
        assert grey_as_srgb(grey, icc) is grey
