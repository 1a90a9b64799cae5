"""The Haar cascades inside opencv-python 4.x.

"Rapid object detection using a boosted cascade of simple features" (Viola and Jones, 2001).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.errors import PluginError
from gpen_fast.types import Frame

Grey = NDArray[Any]

# Of the three frontal cascades this one found most people of a group photograph and no other thing.
# The profile cascade knows faces that look to the left: it is shown the mirror image too.
FRONTAL, PROFILE = "haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml"


class Cascades:
    """Cascades for any thread: a classifier cannot be shared between threads, so each has its own."""

    def __init__(self, detector: str = "lite") -> None:
        self._detector = detector
        self._threads = threading.local()

    def find(
        self,
        file: str,
        grey: Grey,
        *,
        neighbours: int,
        step: float = 1.1,
        smallest: int = 24,
        mirrored: bool = False,
    ) -> NDArray[np.int32]:
        """(N,4) boxes x, y, width, height in a (H,W) uint8 picture; `mirrored`: of what its mirror image shows."""
        found = self.of(file).detectMultiScale(
            cv2.flip(grey, 1) if mirrored else grey,
            scaleFactor=step,
            minNeighbors=neighbours,
            minSize=(smallest, smallest),
        )
        boxes = np.array(found, dtype=np.int32).reshape(-1, 4)
        if mirrored:
            boxes[:, 0] = grey.shape[1] - boxes[:, 0] - boxes[:, 2]
        return boxes

    def of(self, file: str) -> Any:
        """The calling thread's own classifier."""
        cascades: dict[str, Any] = self._threads.__dict__
        if file not in cascades:
            cascades[file] = open_cascade(file, self._detector)
        return cascades[file]


def open_cascade(file: str, detector: str) -> Any:
    """The classifier, for one thread. Raises PluginError, naming `detector`, where OpenCV lacks it."""
    folder = getattr(getattr(cv2, "data", None), "haarcascades", None)
    if folder is None or not hasattr(cv2, "CascadeClassifier"):
        raise PluginError(
            f"detector {detector!r} needs opencv-python 4.x, and OpenCV {cv2.__version__} has no cascades. "
            "Try: pip install 'opencv-python>=4.10,<5'"
        )
    cascade = cv2.CascadeClassifier(str(Path(folder) / file))
    if cascade.empty():
        raise PluginError(
            f"detector {detector!r}: {file} is missing from OpenCV's data folder. Reinstall opencv-python."
        )
    return cascade


def luma(frame: Frame) -> Grey:
    """(H,W) uint8, whatever the frame's depth and channels."""
    pixels = frame.on_host.permute(1, 2, 0).contiguous().numpy()
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    grey: Grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.shape[2] == 3 else pixels[:, :, 0]
    return grey


def shrunk(grey: Grey, bound: int | None) -> tuple[Grey, float]:
    """The picture with its long side bounded, and by what it was scaled."""
    scale = 1.0 if bound is None else min(1.0, bound / max(grey.shape))
    if scale == 1.0:
        return grey, scale
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), scale
