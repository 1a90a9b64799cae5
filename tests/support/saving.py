"""Frames to save, and readers of the saved files by Pillow."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image, ImageCms

from gpen_fast.stages.load import load
from gpen_fast.types import Frame

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(text: str = "mother") -> bytes:
    data = Image.Exif()
    data[0x010E] = text
    return data.tobytes()


def frame_of(array: np.ndarray, **carried: bytes) -> Frame:
    frame = load(array, torch.device("cpu"))
    return Frame(frame.pixels, frame.alpha, frame.channels, **carried)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
