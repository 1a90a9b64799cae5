"""YOLOv3-tiny for faces through OpenCV: boxes only, from the user's own files. `auto` never picks it.

"YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018). The package `yoloface` is not used: it downloads its
weights from a drive when it starts, prints, and is unmaintained. Its files work here: `yolov3-tiny_face.weights` with
`yolov3-tiny_face.cfg` beside it; or an ONNX export with a 416x416 input and rows of box centre, width and height in the
input's pixels, objectness and class scores (Ultralytics' form).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.errors import CheckpointError
from gpen_fast.plugins import DetectorFacts
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.opencv import HostDetector
from gpen_fast.stages.detect.search import MEAN, Bytes, SearchPass, bordered, box_of, pixels, place
from gpen_fast.store.locate import required
from gpen_fast.types import Face, Frame

FACTS = DetectorFacts(
    rank=None,
    weights=("yoloface",),
    gives_landmarks=False,
    on_host=True,
    help="YOLOv3-tiny from your own files, boxes only",
)

_THRESHOLD = 0.5
# Boxes whose intersection is more than this share of their union are of the same face.
_OVERLAP = 0.4
# The network's coarsest stride, pixels: its input's sides must be multiples of it.
_GRID = 32
# The input's side in an ONNX export, pixels: such a file accepts no other.
_ONNX_SIDE = 416
# The package `yoloface` spells the second one.
_CFG_NAMES = ("yolov3-tiny_face.cfg", "yolov3_tiny_face.cfg")


class YoloFace(HostDetector[cv2.dnn.Net]):
    """Boxes from a YOLO network."""

    name = "yoloface"

    def __init__(self, weights: Path, options: DetectOptions) -> None:
        self._fixed = _ONNX_SIDE if weights.suffix == ".onnx" else None
        sized = replace(options, detect_size=self._fixed) if self._fixed else options
        super().__init__(weights, sized, _THRESHOLD)

    def try_once(self) -> None:
        """Runs the network over a black square: what it returns is known only then. Raises CheckpointError."""
        side = self._fixed or _GRID
        self._rows(np.zeros((side, side, 3), np.uint8))

    def _detect(self, frame: Frame, search_pass: SearchPass, floor: float) -> list[Face]:
        where = place(frame, search_pass)
        boxes, scores = self._rows(_on_grid(bordered(pixels(frame, where), where), self._fixed))
        reaching = scores >= floor
        scores = scores[reaching]
        corners = where.to_picture(boxes[reaching].reshape(-1, 2, 2)).reshape(-1, 4)
        x0, y0, x1, y1 = corners.T
        sides = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1)
        best = cv2.dnn.NMSBoxes(sides.tolist(), scores.tolist(), floor, _OVERLAP) if len(sides) else ()
        return [Face(box_of(corners[i]), min(1.0, float(scores[i]))) for i in best]

    def _rows(self, array: Bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(H,W,3) to boxes (N,4) x0, y0, x1, y1 in the input's pixels and scores (N,)."""
        network = self._network()
        network.setInput(cv2.dnn.blobFromImage(array, 1 / 255))
        rows = np.concatenate([_as_rows(out, self.weights) for out in self._outputs(network)])
        height, width = array.shape[:2]
        if self._fixed:
            scores, scale = rows[:, 4] * rows[:, 5:].max(axis=1), np.ones(2)
        else:  # OpenCV's Darknet importer gives shares of the input, and multiplies the scores by the objectness
            scores, scale = rows[:, 5:].max(axis=1), np.array([width, height])
        middle, half = rows[:, :2] * scale, rows[:, 2:4] * scale / 2
        return np.concatenate([middle - half, middle + half], axis=1), scores

    def _outputs(self, network: cv2.dnn.Net) -> list[NDArray[np.float32]]:
        try:
            outputs = network.forward(network.getUnconnectedOutLayersNames())
        except cv2.error as cause:
            raise CheckpointError(f"{self.weights}: OpenCV {cv2.__version__} cannot run it.") from cause
        return [np.asarray(output, dtype=np.float32) for output in outputs]

    def _open(self) -> cv2.dnn.Net:
        return open_yolo(self.weights)


def create(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> YoloFace:
    """Always on the CPU. Raises WeightsNotFoundError, or CheckpointError where OpenCV cannot use the files."""
    detector = YoloFace(required(FACTS.weights[0], weights), options)
    detector.try_once()
    return detector


def open_yolo(weights: Path) -> cv2.dnn.Net:
    """Opens the network for the calling thread. Raises CheckpointError."""
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


def _as_rows(output: NDArray[np.float32], weights: Path) -> NDArray[np.float64]:
    """(...,M) to (N,M), M at least 6. Raises CheckpointError for an export that leaves its boxes undecoded."""
    rows = output.reshape(-1, output.shape[-1]).astype(np.float64)
    if output.ndim > 3 or rows.shape[1] < 6:
        raise CheckpointError(
            f"{weights}: gives {tuple(output.shape)}: accepted are rows of box, objectness and class scores."
        )
    return rows


def _on_grid(array: Bytes, side: int | None) -> Bytes:
    """(H,W,3) padded at the right and below: to `side` pixels, or to the network's grid where that is None."""
    height, width = (side or -(-length // _GRID) * _GRID for length in array.shape[:2])
    below, right = height - array.shape[0], width - array.shape[1]
    padded = cv2.copyMakeBorder(array, 0, below, 0, right, cv2.BORDER_CONSTANT, value=MEAN)
    return np.asarray(padded, dtype=np.uint8)
