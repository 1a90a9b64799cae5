"""What a detector is. One file beside this one adds one: it offers `create(settings, device)`."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast import plugins
from gpen_fast.settings import Settings
from gpen_fast.types import Face, Frame

# In order of preference.
AUTO = ("haar",)


class Detector(Protocol):
    """Finds faces in a picture. Called from several threads when `on_host`."""

    name: str
    on_host: bool
    """Whether it works in host memory, beside the device's work instead of in its queue."""
    box_points: NDArray[np.float64]
    """(5,2): where the five landmarks lie on average in its boxes, 0..1 along their sides."""

    def __call__(self, frame: Frame) -> list[Face]:
        """The faces, best first."""


def open_detector(settings: Settings, device: torch.device) -> Detector:
    """The detector that the settings name, `auto` resolved."""
    name = AUTO[0] if settings.detector == "auto" else settings.detector
    detector: Detector = plugins.load("detect", name).create(settings, device)
    return detector


def choose(faces: list[Face], frame: Frame, settings: Settings) -> list[Face]:
    """The faces that the settings let through: large enough, and one only where they say so."""
    faces = [face for face in faces if face.short_side >= settings.min_face]
    if not faces:
        return []
    if settings.only_largest:
        return [max(faces, key=lambda face: face.area)]
    if settings.only_center:
        return [min(faces, key=lambda face: _off_center(face, frame))]
    return faces


def _off_center(face: Face, frame: Frame) -> float:
    x, y = face.center
    return (x - frame.width / 2) ** 2 + (y - frame.height / 2) ** 2
