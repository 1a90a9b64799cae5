"""No detector: each picture is one aligned face (`--skip-detect`)."""

from __future__ import annotations

import numpy as np
import torch

from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.types import Face, Frame

FACTS = DetectorFacts(
    rank=None,
    gives_landmarks=False,
    on_host=True,
    help="detects nothing: each picture is one aligned face",
)


class WholePicture:
    """One face as large as the picture. It takes no time, and the tables say that detection was skipped."""

    name = "none"
    on_host = FACTS.on_host
    weights = None
    box_points = np.full((5, 2), 0.5)
    threshold = 0.0
    bound = None

    def __call__(self, frame: Frame) -> list[Face]:
        """The whole picture as a face."""
        return [Face((0.0, 0.0, float(frame.width), float(frame.height)), 1.0)]


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> WholePicture:
    """Takes no options."""
    return WholePicture()
