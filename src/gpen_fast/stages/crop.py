"""Crop: each aligned face as a square of the model's size."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.image.warp import warp_area
from gpen_fast.types import FaceBatch, Frame


def crop(frame: Frame, matrices: NDArray[np.float64], size: int) -> FaceBatch:
    """Cuts the faces out of a picture.

    Args:
        frame: The picture.
        matrices: (B,2,3) float64, picture to crop coordinates.
        size: The crop's side, pixels.

    Returns:
        (B,3,size,size) in the depth and on the device of the frame. Grey becomes three equal channels.
    """
    if len(matrices) == 0:
        return FaceBatch(frame.pixels.new_empty((0, 3, size, size)), matrices)
    faces = [warp_area(frame.pixels, matrix, (size, size)).expand(3, -1, -1) for matrix in matrices]
    return FaceBatch(torch.stack(faces), matrices)
