"""Pillow's process-wide limit. Imports Pillow when it is called."""

from __future__ import annotations


def lift_pillow_limit() -> None:
    """Lets Pillow open pictures of any size in this process.

    For a program that checks sizes itself. A library must not call it: the importing program may rely on the limit.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
