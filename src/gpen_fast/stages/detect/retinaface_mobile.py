"""RetinaFace with MobileNet 0.25: small, quick and nearly as good."""

from __future__ import annotations

import torch

from gpen_fast.settings import Settings
from gpen_fast.stages.detect.retina.detector import RetinaFace, half, open_network
from gpen_fast.store.locate import required

WEIGHTS = ("retinaface-mobilenet0.25",)
# Every face of three group photographs, and nothing else, scores above this.
_THRESHOLD = 0.8


def create(settings: Settings, device: torch.device) -> RetinaFace:
    """fp16 on CUDA unless another precision is named. WeightsNotFoundError or CheckpointError."""
    path = required(WEIGHTS[0], settings.weights)
    network = open_network("mobile0.25", path, device, half=half(settings, device))
    return RetinaFace("retinaface-mobile", network, settings, device, _THRESHOLD, path)
