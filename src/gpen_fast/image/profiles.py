"""ICC profiles applied by LittleCMS, in Pillow, where a file cannot hold them."""

from __future__ import annotations

import io

from PIL import Image, ImageCms


def grey_as_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """A grey picture whose file cannot hold its profile of grey, as RGB of sRGB's shades; itself if that is impossible.

    Args:
        image: Of mode L or LA.
        icc: Its profile.
    """
    if not icc:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        grey = image.getchannel("L")
        made = ImageCms.profileToProfile(grey, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return image
    if made is not None and image.mode == "LA":
        made.putalpha(image.getchannel("A"))
    return made or image
