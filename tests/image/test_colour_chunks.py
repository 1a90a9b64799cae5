"""Profiles made of PNG's colour chunks are what the specification says, as LittleCMS sees them."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from gpen_fast.image.colour_chunks import colour_profile, is_hdr
from gpen_fast.types import MetadataBlock

SRGB_PLACES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_PLACES = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def chunk(name: str, *values: int) -> MetadataBlock:
    data = bytes(values) if name == "cICP" else struct.pack(f">{len(values)}I", *values)
    return MetadataBlock("png", name, data)


def as_srgb(icc: bytes, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    image = Image.new("RGB", (1, 1), colour)
    return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB")).getpixel((0, 0))


def by_hand(colour: tuple[int, int, int], gamma: float, places: tuple[int, ...]) -> np.ndarray:
    """The same conversion by the definitions of CIE 1931 and sRGB (IEC 61966-2-1), under one white."""

    def matrix(values: tuple[int, ...]) -> np.ndarray:
        white, *rest = (
            [x / y, 1, (100000 - x - y) / y] for x, y in zip(values[::2], values[1::2], strict=True)
        )
        columns = np.array(rest, float).T
        return columns * np.linalg.solve(columns, white)

    linear = np.linalg.inv(matrix(SRGB_PLACES)) @ matrix(places) @ (np.array(colour) / 255) ** (1 / gamma)
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    ("gamma", "places"),
    [(100_000, SRGB_PLACES), (55_556, ADOBE_PLACES), (45_455, ADOBE_PLACES), (71_429, ADOBE_PLACES)],
)
def test_gamma_and_primaries(gamma: int, places: tuple[int, ...]) -> None:
    icc = colour_profile((chunk("gAMA", gamma), chunk("cHRM", *places)), 3)
    for colour in ((200, 100, 50), (90, 120, 140), (250, 250, 250)):
        assert np.abs(as_srgb(icc, colour) - by_hand(colour, gamma / 1e5, places)).max() <= 4


def test_grey_is_neutral_and_white_is_white() -> None:
    icc = colour_profile((chunk("cICP", 12, 13, 0, 1),), 3)
    for level in (0, 128, 255):
        assert np.ptp([*as_srgb(icc, (level,) * 3), level]) <= 1
    assert colour_profile((chunk("gAMA", 100_000),), 1)[16:20] == b"GRAY"


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (chunk("sRGB"), chunk("gAMA", 100_000)),
        (chunk("gAMA", 45_455),),
        (chunk("gAMA", 45_455), chunk("cHRM", *SRGB_PLACES)),
        (chunk("cICP", 1, 13, 0, 1), chunk("gAMA", 100_000)),
        (chunk("cICP", 9, 16, 0, 1),),
        (chunk("cHRM", 0, 0, 0, 0, 0, 0, 0, 0),),
        (MetadataBlock("comment", "COM", b"gAMA"),),
    ],
)
def test_what_says_srgb_or_nothing_needs_no_profile(blocks: tuple[MetadataBlock, ...]) -> None:
    assert colour_profile(blocks, 3) is None


def test_hdr_is_told_from_what_a_profile_says() -> None:
    assert is_hdr(chunk("cICP", 9, 16, 0, 1))
    assert not is_hdr(chunk("cICP", 12, 13, 0, 1))
    assert not is_hdr(chunk("gAMA", 1))
