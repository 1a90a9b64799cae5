"""YOLOv3-tiny for faces through OpenCV: boxes only, from a user's own files. `auto` never picks it.

"YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018). The package `yoloface` is not used: it downloads
from a drive when it is started, prints, and is not kept. Its files work here: `yolov3-tiny_face.weights` with
`yolov3-tiny_face.cfg` beside it; or an ONNX export with a 416x416 input and rows of box centre, width and height
in its pixels, objectness and class scores (Ultralytics' form).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.errors import CheckpointError
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.opencv import HostDetector
from gpen_fast.stages.detect.search import MEAN, SearchPass, bordered, box_of, pixels, place
from gpen_fast.store.locate import required
from gpen_fast.types import Face, Frame

WEIGHTS = ("yoloface",)
_THRESHOLD = 0.5
_OVERLAP = 0.4
# Inputs must be multiples of the network's coarsest stride.
_GRID = 32
_ONNX_SIDE = 416
# Its package spells the second one.
_CFG_NAMES = ("yolov3-tiny_face.cfg", "yolov3_tiny_face.cfg")


class YoloFace(HostDetector):
    """Boxes. Trained on WIDER FACE like RetinaFace, its boxes are taken to be alike."""

    name = "yoloface"

    def __init__(self, weights: Path, settings: Settings) -> None:
        self._fixed = _ONNX_SIDE if weights.suffix == ".onnx" else None
        sized = settings
        if self._fixed:
            sized = replace(settings, detect=replace(settings.detect, detect_size=self._fixed))
        super().__init__(weights, sized, _THRESHOLD)

    def _faces(self, frame: Frame, search_pass: SearchPass, floor: float) -> list[Face]:
        where = place(frame, search_pass)
        array = _on_grid(bordered(pixels(frame, where), where), self._fixed)
        boxes, scores = self._rows(array)
        sure = scores >= floor
        corners = where.to_picture(boxes[sure].reshape(-1, 2, 2)).reshape(-1, 4)
        x0, y0, x1, y1 = corners.T
        sides = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1)
        best = cv2.dnn.NMSBoxes(sides.tolist(), scores[sure].tolist(), floor, _OVERLAP) if len(sides) else ()
        return [Face(box_of(corners[i]), min(1.0, float(scores[sure][i]))) for i in best]

    def _rows(self, array: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N,4) x0, y0, x1, y1 in pixels of the input and (N,) scores."""
        network = self._network()
        network.setInput(cv2.dnn.blobFromImage(array, 1 / 255))
        rows = np.concatenate([_as_rows(out, self.weights) for out in self._outputs(network)])
        height, width = array.shape[:2]
        if self._fixed:
            scores, scale = rows[:, 4] * rows[:, 5:].max(axis=1), np.ones(2)
        else:  # OpenCV's Darknet importer gives shares of the input, and scores with the objectness in them
            scores, scale = rows[:, 5:].max(axis=1), np.array([width, height])
        middle, half = rows[:, :2] * scale, rows[:, 2:4] * scale / 2
        return np.concatenate([middle - half, middle + half], axis=1), scores

    def _outputs(self, network: Any) -> Sequence[NDArray[Any]]:
        try:
            outputs: Sequence[NDArray[Any]] = network.forward(network.getUnconnectedOutLayersNames())
        except cv2.error as cause:
            raise CheckpointError(f"{self.weights}: OpenCV {cv2.__version__} cannot run it.") from cause
        return outputs

    def _opened(self) -> Any:
        return open_network(self.weights)


def create(settings: Settings, device: torch.device) -> YoloFace:
    """Always on the CPU. WeightsNotFoundError, or CheckpointError where OpenCV cannot use the files."""
    detector = YoloFace(required(WEIGHTS[0], settings.weights), settings)
    side = detector._fixed or _GRID
    detector._rows(np.zeros((side, side, 3), np.uint8))  # what it gives is seen only when it runs
    return detector


def open_network(weights: Path) -> Any:
    """The network for the calling thread."""
    files = [str(weights)]
    if weights.suffix != ".onnx":
        cfg = next((path for name in _CFG_NAMES if (path := weights.with_name(name)).is_file()), None)
        if cfg is None:
            raise CheckpointError(f"{weights}: needs {_CFG_NAMES[0]} beside it. Put it there.")
        files.append(str(cfg))
    try:
        return cv2.dnn.readNet(*files)
    except cv2.error as cause:
        raise CheckpointError(
            f"{weights}: OpenCV {cv2.__version__} cannot read it as Darknet weights or ONNX."
        ) from cause


def _as_rows(output: NDArray[Any], weights: Path) -> NDArray[np.float64]:
    """(N,6 or more); CheckpointError for an export whose boxes are not decoded."""
    rows = output.reshape(-1, output.shape[-1]).astype(np.float64)
    if output.ndim > 3 or rows.shape[1] < 6:
        raise CheckpointError(
            f"{weights}: gives {tuple(output.shape)}: accepted are rows of box, objectness and class scores."
        )
    return rows


def _on_grid(array: NDArray[Any], side: int | None) -> NDArray[Any]:
    """Padded at the right and below to what the network takes; RGB."""
    height, width = (side or -(-length // _GRID) * _GRID for length in array.shape[:2])
    below, right = height - array.shape[0], width - array.shape[1]
    return cv2.copyMakeBorder(array, 0, below, 0, right, cv2.BORDER_CONSTANT, value=MEAN)
