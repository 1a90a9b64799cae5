"""No detector: each picture is one aligned face (`--skip-detect`)."""

from __future__ import annotations

import numpy as np
import torch

from gpen_fast.settings import Settings
from gpen_fast.types import Face, Frame


class WholePicture:
    """One face as large as the picture. It takes no time, and the tables say that detection was skipped."""

    name = "none"
    on_host = True
    weights = None
    box_points = np.full((5, 2), 0.5)
    threshold = 0.0
    bound = None

    def __call__(self, frame: Frame) -> list[Face]:
        """The picture itself."""
        return [Face((0.0, 0.0, float(frame.width), float(frame.height)), 1.0)]


def create(settings: Settings, device: torch.device) -> WholePicture:
    """Takes no options."""
    return WholePicture()
