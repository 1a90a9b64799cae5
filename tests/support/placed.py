"""Faces at known places, for crop and paste, and the reference implementation's picture."""

from __future__ import annotations

import json

import numpy as np
import torch
from helpers import DATA, photo, reference_file, shared_picture
from PIL import Image

from gpen_fast.stages.align import align
from gpen_fast.types import Face, Frame

NO_BOX_POINTS = np.full((5, 2), 0.5)


def picture(name: str) -> np.ndarray:
    return np.asarray(Image.open(reference_file(name)).convert("RGB"))


def solvay() -> tuple[np.ndarray, Frame, list[Face], np.ndarray]:
    array = np.asarray(Image.open(shared_picture("solvay_conference_1927.png")).convert("RGB"))
    rows = json.loads((DATA / "retinaface_solvay.json").read_text())["faces"]
    faces = [Face(tuple(row[:4]), row[4], np.array(row[5:]).reshape(5, 2)) for row in rows]
    # A colour picture, because the reference treats every picture as three channels.
    frame = Frame(torch.from_numpy(array.copy()).permute(2, 0, 1))
    return array, frame, faces, align(faces, "gpen", 512, NO_BOX_POINTS)


def face_at(x: float, y: float, side: float, size: int = 64) -> tuple[Face, np.ndarray]:
    """A face whose crop of `size` covers the square of `side` at x, y."""
    scale = size / side
    return Face((x, y, x + side, y + side), 1.0), np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])


def frame_of(channels: int = 3, dtype: type = np.uint8, height: int = 120, width: int = 160) -> Frame:
    array = photo(height, width, channels, dtype).reshape(height, width, channels)
    return Frame(torch.from_numpy(array.copy()).permute(2, 0, 1), channels=channels)
