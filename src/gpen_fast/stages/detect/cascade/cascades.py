"""The Haar cascades inside opencv-python 4.x.

"Rapid object detection using a boosted cascade of simple features" (Viola and Jones, 2001).
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.errors import PluginError
from gpen_fast.stages.detect.cascade.luma import GreyPixels
from gpen_fast.stages.detect.cascade.tiles import Tile, tiles_of

# Of OpenCV's three frontal cascades this one detected most people of a group photograph, and nothing else in it.
# The profile cascade detects faces that look to the left; it also runs on the mirror image.
FRONTAL, PROFILE = "haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml"


class Cascades:
    """Cascades for any thread: each thread has classifiers of its own, since they cannot be shared.

    Args:
        detector: The name of the plug-in, for errors.
    """

    def __init__(self, detector: str = "haar") -> None:
        self._detector = detector
        self._threads = threading.local()

    def find(
        self,
        file: str,
        grey: GreyPixels,
        *,
        neighbours: int,
        step: float = 1.1,
        smallest: int = 24,
        mirrored: bool = False,
    ) -> NDArray[np.int32]:
        """Runs one cascade over a picture.

        Args:
            file: The cascade, as OpenCV names its file.
            grey: (H,W) luma.
            neighbours: The number of overlapping windows that make a detection; 0: every window is one.
            step: The ratio of successive window sizes.
            smallest: The smallest window's side, pixels.
            mirrored: Run on the mirror image; the boxes are still the picture's own.

        Returns:
            (N,4) boxes x, y, width, height, pixels.
        """
        shown = np.asarray(cv2.flip(grey, 1), dtype=np.uint8) if mirrored else grey
        boxes = np.concatenate(
            [_found_in(self.of(file), part, neighbours, step, smallest) for part in tiles_of(shown)]
        )
        if mirrored:
            boxes[:, 0] = grey.shape[1] - boxes[:, 0] - boxes[:, 2]
        return boxes

    def of(self, file: str) -> cv2.CascadeClassifier:
        """The calling thread's own classifier."""
        cascades: dict[str, cv2.CascadeClassifier] = self._threads.__dict__
        if file not in cascades:
            cascades[file] = open_cascade(file, self._detector)
        return cascades[file]


def _found_in(
    cascade: cv2.CascadeClassifier, part: Tile, neighbours: int, step: float, smallest: int
) -> NDArray[np.int32]:
    """(N,4): the boxes in a part's core, in the picture's pixels."""
    found = cascade.detectMultiScale(
        part.grey, scaleFactor=step, minNeighbors=neighbours, minSize=(smallest, smallest)
    )
    boxes, own = part.placed(np.array(found, dtype=np.int32).reshape(-1, 4))
    return boxes[own]


def open_cascade(file: str, detector: str) -> cv2.CascadeClassifier:
    """Opens a classifier for one thread. Raises PluginError, which names `detector`, where OpenCV lacks it."""
    folder = getattr(getattr(cv2, "data", None), "haarcascades", None)
    if folder is None or not hasattr(cv2, "CascadeClassifier"):
        raise PluginError(
            f"detector {detector!r} needs opencv-python 4.x, and OpenCV {cv2.__version__} has no cascades "
            f"(cv2.CascadeClassifier, {file}). Try: pip install 'opencv-python>=4.10,<5'"
        )
    cascade = cv2.CascadeClassifier(str(Path(folder) / file))
    if cascade.empty():
        raise PluginError(
            f"detector {detector!r}: {file} is missing from OpenCV's data folder. Reinstall opencv-python."
        )
    return cascade
