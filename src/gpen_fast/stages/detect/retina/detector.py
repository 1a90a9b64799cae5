"""RetinaFace as a detector: from pictures to batches, and from the network's values to faces.

"RetinaFace: Single-stage Dense Face Localisation in the Wild" (Deng et al., 2019). Only the network classes are
facexlib's: its own call builds the anchors in Python loops and examines every picture at full size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.precision import arithmetic
from gpen_fast.errors import PictureError
from gpen_fast.image.colour import to_8bit_scale
from gpen_fast.image.resize import resize_antialiased
from gpen_fast.settings import DetectOptions
from gpen_fast.stages.detect.search import (
    MEAN,
    Place,
    SearchPass,
    bound_of,
    box_of,
    pixels,
    place,
    search,
    voted,
)
from gpen_fast.types import Face, Frame

# Anchor sides by stride, pixels of the input, and the scales of the regressions (facexlib's configurations).
_ANCHORS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
_VARIANCES = (0.1, 0.2)
# Boxes whose intersection is more than this share of their union are of the same face.
_OVERLAP = 0.4
# Pixels. Inputs are padded to multiples of this, so that pictures of similar shapes share a batch.
_GRID = 32
# Pixels of one network call. On a CPU larger batches leave its caches and are slower.
_MOST_PIXELS = {"cuda": 8 * 640 * 640, "cpu": 2 * 640 * 576}
# Median landmarks in its boxes over frontal portraits, made symmetric; 0..1 along the box's sides.
BOX_POINTS = np.array([[0.284, 0.392], [0.716, 0.392], [0.5, 0.62], [0.318, 0.795], [0.682, 0.795]])


@dataclass(frozen=True)
class Anchors:
    """The anchors of one input size, float32, pixels of the input."""

    centers: Tensor
    """(N,2) x, y."""

    sides: Tensor
    """(N,1)."""


class RetinaFace:
    """A RetinaFace network as a detector: on the device, several pictures of one shape in a call.

    Args:
        name: The plug-in's name.
        network: What `retina.network.open_retinaface` returns.
        options: The size at which pictures are searched, and the user's threshold.
        device: Where the network lies.
        threshold: The detector's own, where the user names none.
        weights: The file that the network was read from.
    """

    on_host = False
    box_points = BOX_POINTS

    def __init__(
        self,
        name: str,
        network: nn.Module,
        options: DetectOptions,
        device: torch.device,
        threshold: float,
        weights: Path | None = None,
    ) -> None:
        self.name = name
        self.weights = weights
        self.threshold = threshold if options.detect_threshold is None else options.detect_threshold
        self.bound = bound_of(options.detect_size)
        self.batch_size = 8
        self._size = options.detect_size
        self._device = device
        self._network = network
        # Packed for oneDNN the network has no parameters of its own, and computes in float32.
        self._dtype = next((weight.dtype for weight in network.parameters()), torch.float32)

    def __call__(self, frame: Frame) -> list[Face]:
        """Detects the faces of a picture, best first."""
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Detects the faces of each picture, best first."""
        return search(frames, self._run_pass, self._size, self.threshold)

    def _run_pass(self, frames: Sequence[Frame], search_pass: SearchPass, floor: float) -> list[list[Face]]:
        """One pass over each picture; pictures of one shape share calls."""
        places = [place(frame, search_pass) for frame in frames]
        # At full size the faces equal facexlib's to the pixel: no padding, no votes.
        full = self.bound is None
        grid = 1 if full else _GRID
        shapes = [_padded(where, grid) for where in places]
        found: list[list[Face]] = [[] for _ in frames]
        for group in _groups(shapes, self.batch_size, _MOST_PIXELS[self._device.type]):
            batch = self._batch([frames[i] for i in group], [places[i] for i in group], shapes[group[0]])
            for number, detections in zip(group, self._infer(batch, floor), strict=True):
                found[number] = detections.faces(places[number], vote=not full)
        return found

    def _batch(self, frames: Sequence[Frame], places: Sequence[Place], shape: tuple[int, int]) -> Tensor:
        """(B,3,H,W) RGB minus the mean colour, NHWC in memory; the padding is 0, the mean."""
        fill = _fill_on_host if self._device.type == "cpu" else _fill_on_device
        batch = torch.zeros(len(frames), *shape, 3, device=self._device, dtype=self._dtype)
        for slot, frame, where in zip(batch, frames, places, strict=True):
            y = x = where.border
            fill(frame, where, slot[y : y + where.height, x : x + where.width])
        return batch.permute(0, 3, 1, 2)

    def _infer(self, batch: Tensor, floor: float) -> list[RawDetections]:
        """(B,3,H,W) to the detections in each picture with scores above `floor`. Raises PictureError: no memory."""
        try:
            with arithmetic("fp32", self._device):
                values = self._network(batch).float()  # (B,N,16)
                odds = values[..., 5] - values[..., 4]  # (B,N)
                # The M detections of all pictures: the sigmoid is monotonic, so logits are compared.
                picture, index = (odds > log_odds(floor)).nonzero(as_tuple=True)
                anchors = anchors_of(batch.shape[2], batch.shape[3], self._device)
                rows = decode_anchors(values[picture, index], anchors, index)  # (M,14)
                scores = odds[picture, index].sigmoid()
                best = _suppressed(rows[:, :4], scores, picture, len(batch))
                kept = torch.zeros_like(scores).index_fill_(0, best, 1.0)
                # (M,17) in one tensor, so that one copy brings everything to the host.
                joined = torch.cat([torch.stack([picture.to(rows.dtype), kept, scores], 1), rows], 1)
                host = joined.cpu().numpy()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise PictureError(
                f"detecting faces in {batch.shape[3]}x{batch.shape[2]} pixels does not fit into memory. "
                "Try a smaller --detect-size."
            ) from error
        if len(batch) == 1:
            return [RawDetections(host[:, 1:])]
        return [RawDetections(host[host[:, 0] == number, 1:]) for number in range(len(batch))]


@dataclass(frozen=True)
class RawDetections:
    """What the network detects in one picture, in pixels of its input."""

    rows: NDArray[np.float32]
    """(N,16): 1 for the best detection of a face or 0, score, box, five points."""

    def faces(self, where: Place, *, vote: bool) -> list[Face]:
        """The faces in the picture's pixels; where `vote` is set, averaged over their detections."""
        kept, scores, boxes, points = np.split(self.rows.astype(np.float64), [1, 2, 6], axis=1)
        scores, best = scores[:, 0], np.flatnonzero(kept)
        chosen = voted(boxes, scores, points, best) if vote else (boxes[best], points[best])
        corners = where.to_picture(chosen[0].reshape(-1, 2, 2)).reshape(-1, 4)
        landmarks = where.to_picture(chosen[1].reshape(-1, 5, 2))
        return [
            Face(box_of(corner), float(score), each)
            for corner, score, each in zip(corners, scores[best], landmarks, strict=True)
        ]


@lru_cache(maxsize=32)
def anchors_of(height: int, width: int, device: torch.device) -> Anchors:
    """The anchors of an input of that size, ordered as the network's output: by stride, row, column and side."""
    centers, sides = [], []
    for stride, lengths in _ANCHORS.items():
        y, x = (
            (torch.arange(-(-length // stride), device=device, dtype=torch.float32) + 0.5) * stride
            for length in (height, width)
        )
        grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1).view(-1, 2)
        centers.append(grid.repeat_interleave(len(lengths), dim=0))
        sides.append(torch.tensor(lengths, device=device, dtype=torch.float32).repeat(len(grid)))
    return Anchors(torch.cat(centers), torch.cat(sides)[:, None])


def decode_anchors(values: Tensor, anchors: Anchors, index: Tensor) -> Tensor:
    """Turns the network's values into boxes and points.

    Args:
        values: (N,16) box regression, class logits, five points, each relative to its anchor.
        anchors: The anchors of the input.
        index: (N,) the anchor of each row.

    Returns:
        (N,14) x0, y0, x1, y1 and five points, pixels of the input.
    """
    centers, sides = anchors.centers[index], anchors.sides[index]
    # (N,16): every pair of values as an offset from the centre. Of the class logits and of the box's width and height
    # this makes nothing meaningful: the logits are dropped below, the extent is computed on the next line.
    spots = torch.addcmul(centers.repeat(1, values.shape[1] // 2), values, sides, value=_VARIANCES[0])
    half = torch.exp(values[:, 2:4] * _VARIANCES[1]) * (sides / 2)
    return torch.cat([spots[:, :2] - half, spots[:, :2] + half, spots[:, 6:]], 1)


def _fill_on_host(frame: Frame, where: Place, slot: Tensor) -> None:
    mean: Any = (*MEAN, 0)  # a scalar of OpenCV's: its types have no overload that accepts one
    cv2.subtract(pixels(frame, where), mean, dst=slot.numpy(), dtype=cv2.CV_32F)


def _fill_on_device(frame: Frame, where: Place, slot: Tensor) -> None:
    mean = torch.tensor(MEAN, dtype=torch.float32, device=frame.pixels.device)
    slot[:] = _shrunk(frame, where).permute(1, 2, 0) - mean


def _shrunk(frame: Frame, where: Place) -> Tensor:
    """(1|3,h,w) on the frame's device, 0..255: the picture shrunk to its place."""
    return resize_antialiased(to_8bit_scale(frame.pixels), (where.height, where.width), "bilinear")


def _suppressed(boxes: Tensor, scores: Tensor, picture: Tensor, pictures: int) -> Tensor:
    """The indices of each face's best box, after non-maximum suppression within each picture."""
    from torchvision.ops import batched_nms, nms

    return nms(boxes, scores, _OVERLAP) if pictures == 1 else batched_nms(boxes, scores, picture, _OVERLAP)


def log_odds(probability: float) -> float:
    """log(p / (1 - p)) of a probability above 0; infinite for 1."""
    return math.log(probability / (1 - probability)) if probability < 1 else math.inf


def _padded(where: Place, grid: int) -> tuple[int, int]:
    """Height and width of the input: the picture with its border, up to a multiple of `grid`."""
    height, width = (-(-(side + 2 * where.border) // grid) * grid for side in (where.height, where.width))
    return height, width


def _groups(shapes: Sequence[tuple[int, int]], most: int, pixels: int) -> Iterator[list[int]]:
    """Indices of equal shapes, in groups of at most `most` pictures that have at most `pixels` pixels together."""
    for shape in dict.fromkeys(shapes):
        same = [i for i, other in enumerate(shapes) if other == shape]
        step = max(1, min(most, pixels // (shape[0] * shape[1])))
        yield from (same[i : i + step] for i in range(0, len(same), step))
