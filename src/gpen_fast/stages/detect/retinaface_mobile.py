"""RetinaFace with MobileNet 0.25: small, fast and nearly as good as with ResNet-50."""

from __future__ import annotations

import torch

from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.retina.detector import RetinaFace
from gpen_fast.stages.detect.retina.network import open_retinaface, runs_in_half
from gpen_fast.store.locate import required

FACTS = DetectorFacts(
    rank=2,
    weights=("retinaface-mobilenet0.25",),
    gives_landmarks=True,
    any_angle=True,
    on_host=False,
    help="small, fast and nearly as good as retinaface",
)

# Every face of three group photographs scores above this, and nothing else in them does.
_THRESHOLD = 0.8


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> RetinaFace:
    """Runs in fp16 on CUDA, unless another precision is named. Raises WeightsNotFoundError or CheckpointError."""
    path = required(FACTS.weights[0], weights)
    network = open_retinaface("mobile0.25", path, device, half=runs_in_half(precision, device))
    return RetinaFace("retinaface-mobile", network, options, device, _THRESHOLD, path)
