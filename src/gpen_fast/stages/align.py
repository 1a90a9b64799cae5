"""Align: where a face's five landmarks must lie in a crop, and the similarity that maps them there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, similarities
from gpen_fast.types import Face

# Left eye, right eye, nose, left and right mouth corner, pixels in a crop of 512. GPEN's own template (yangxy/GPEN,
# align_faces.py) shows more of the head than FFHQ's as facexlib has it: the eyes are 107 px apart, there 126.
TEMPLATE_SIZE = 512
TEMPLATES: dict[str, Points] = {
    "gpen": np.array(
        [
            [202.04068428190476, 242.8839634590476],
            [309.43024554666664, 242.28998092190477],
            [256.07679966476195, 303.9591703771428],
            [211.9597749333333, 366.82819474285714],
            [300.8911249066667, 366.33630951619045],
        ]
    ),
    "ffhq": np.array(
        [
            [192.98138, 239.94708],
            [318.90277, 240.1936],
            [256.63416, 314.01935],
            [201.26117, 371.41043],
            [313.08905, 371.15118],
        ]
    ),
}


def align(faces: Sequence[Face], template: str, size: int, box_points: Points) -> NDArray[np.float64]:
    """Computes one picture-to-crop similarity for each face.

    Args:
        faces: The B faces of one picture.
        template: A key of TEMPLATES.
        size: The crop's side, pixels.
        box_points: (5,2) where the landmarks lie on average in the detector's box, 0..1 along its sides; used for
            faces without landmarks.

    Returns:
        (B,2,3) float64.
    """
    if not faces:
        return np.zeros((0, 2, 3))
    target = TEMPLATES[template] * (size / TEMPLATE_SIZE)
    return similarities(np.stack([landmarks_of(face, box_points) for face in faces]), target)


def landmarks_of(face: Face, box_points: Points) -> Points:
    """The face's (5,2) landmarks; without any, `box_points` placed in its box and turned by its roll."""
    if face.landmarks is not None:
        return face.landmarks
    x0, y0, x1, y1 = face.box
    middle = np.array(face.center)
    offsets = (box_points - 0.5) * (x1 - x0, y1 - y0)
    c, s = math.cos(math.radians(face.roll)), math.sin(math.radians(face.roll))
    return middle + offsets @ np.array([[c, s], [-s, c]])
