"""RetinaFace with ResNet-50, upstream GPEN's own detector: the best, and the slowest."""

from __future__ import annotations

import torch

from gpen_fast.settings import Settings
from gpen_fast.stages.detect.retina.detector import RetinaFace, half, open_network
from gpen_fast.store.locate import required

WEIGHTS = ("retinaface-resnet50",)
# Upstream GPEN's.
_THRESHOLD = 0.9


def create(settings: Settings, device: torch.device) -> RetinaFace:
    """fp16 on CUDA unless another precision is named. WeightsNotFoundError or CheckpointError."""
    path = required(WEIGHTS[0], settings.weights)
    network = open_network("resnet50", path, device, half=half(settings, device))
    return RetinaFace("retinaface", network, settings, device, _THRESHOLD, path)
