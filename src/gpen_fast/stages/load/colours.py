"""CMYK, YCCK and Lab as sRGB: through the file's own profile by LittleCMS, in Pillow; without one as stated here."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

from gpen_fast.types import icc_space

# Pillow's modes that a result, which is grey or RGB, cannot keep, in the user's words.
CONVERTED = {"CMYK": "CMYK", "LAB": "Lab"}
# What an ICC profile of each calls its colour space (ICC.1:2022, table 19).
_SPACES = {"CMYK": b"CMYK", "LAB": b"Lab "}


def as_srgb(image: Image.Image) -> Image.Image:
    """A picture of a mode in CONVERTED as RGB, its colours those of sRGB.

    The intent is perceptual, the default of LittleCMS and Pillow. Where there is no valid profile of that space, CMYK
    is read as R = (1 - C) (1 - K), and so on, and Lab as that of the standard illuminant D50.

    Args:
        image: The picture; its profile is in `info["icc_profile"]`.
    """
    profile = profile_of_mode(image)
    if profile is None and image.mode == "CMYK":
        return image.convert("RGB")
    source = profile or ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None  # None only in place
    return converted


def conversion_note(image: Image.Image) -> str:
    """A sentence on how the colours became sRGB; empty where they are as they were."""
    if image.mode not in CONVERTED:
        return ""
    profile = profile_of_mode(image) is not None
    how = "through its profile" if profile else "without a profile: their shade is a guess"
    if image.mode == "LAB" and not profile:
        how = "as Lab under D50"
    return f"its {CONVERTED[image.mode]} colours are converted to sRGB {how}."


def profile_of_mode(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The picture's own profile, if it is valid and describes the picture's mode."""
    icc = image.info.get("icc_profile")
    if not icc or icc_space(icc) != _SPACES.get(image.mode):
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), image.mode, "RGB")
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return None
    return profile
