"""Pillow's own limit on a picture's size."""

from __future__ import annotations


def lift_pillow_limit() -> None:
    """Removes Pillow's limit for the whole process, which is the command line's to do: `max_pixels` bounds there."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
