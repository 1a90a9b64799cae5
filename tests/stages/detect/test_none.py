"""No detector: each picture is one aligned face."""

from __future__ import annotations

import torch
from detectors import opened

from gpen_fast.types import Frame


def test_the_picture_is_the_face() -> None:
    (face,) = opened("none")(Frame(torch.zeros(3, 20, 30, dtype=torch.uint8)))
    assert face.box == (0.0, 0.0, 30.0, 20.0)
    assert face.score == 1.0
    assert face.landmarks is None
