"""Opens detectors for tests, and holds what the tests of several detectors share."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from helpers import EXAMPLES

from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.base import Detector, open_detector
from gpen_fast.stages.load import load
from gpen_fast.types import Face

CPU = torch.device("cpu")


def opened(
    name: str = "auto", device: torch.device = CPU, precision: PrecisionName = "auto", **options: object
) -> Detector:
    """Opens the detector of that name; `options` are fields of DetectOptions."""
    return open_detector(DetectOptions(name, **options), WeightsOptions(), device, precision)  # type: ignore[arg-type]


def detect(name: str, source: object, **options: object) -> list[Face]:
    """Detects the faces in a file or an array."""
    return opened(name, **options)(load(source, CPU))


def example(name: str) -> np.ndarray:
    """(H,W,3) RGB uint8."""
    return cv2.cvtColor(cv2.imread(str(EXAMPLES / name)), cv2.COLOR_BGR2RGB)
