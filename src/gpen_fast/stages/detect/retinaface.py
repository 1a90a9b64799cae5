"""RetinaFace with ResNet-50, upstream GPEN's own detector: the best, and the slowest."""

from __future__ import annotations

import torch

from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.retina.detector import RetinaFace
from gpen_fast.stages.detect.retina.network import open_retinaface, runs_in_half
from gpen_fast.store.locate import required

FACTS = DetectorFacts(
    rank=1,
    weights=("retinaface-resnet50",),
    gives_landmarks=True,
    any_angle=True,
    on_host=False,
    help="upstream GPEN's own: the best, and the slowest",
)

# Upstream GPEN's.
_THRESHOLD = 0.9


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> RetinaFace:
    """Runs in fp16 on CUDA, unless another precision is named. Raises WeightsNotFoundError or CheckpointError."""
    path = required(FACTS.weights[0], weights)
    network = open_retinaface("resnet50", path, device, half=runs_in_half(precision, device))
    return RetinaFace("retinaface", network, options, device, _THRESHOLD, path)
