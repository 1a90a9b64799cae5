"""RetinaFace on facexlib's networks, with this project's own work around them.

"RetinaFace: Single-stage Dense Face Localisation in the Wild" (Deng et al., 2019). Only the network classes are
facexlib's: its call builds the anchors in Python loops and searches every picture at full size.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gpen_fast.device import onednn
from gpen_fast.device.malloc import keep_freed_memory
from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.precision import arithmetic
from gpen_fast.errors import CheckpointError, PictureError, PluginError, first_line
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.retina.compact import Compact
from gpen_fast.stages.detect.retina.packed import packed
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

# Anchor sides by stride and the scale of the regressions, in pixels of the input (facexlib's configurations).
_ANCHORS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
_VARIANCES = (0.1, 0.2)
_OVERLAP = 0.4
# Inputs are padded to multiples of this, so that pictures of about the same shape share a batch.
_GRID = 32
# Pixels of one network call; on a CPU more leave its caches, and cost more than they save.
_MOST_PIXELS = {"cuda": 8 * 640 * 640, "cpu": 2 * 640 * 576}
_COARSE = 8
# Median landmarks in its boxes over frontal portraits, made symmetric.
BOX_POINTS = np.array([[0.284, 0.392], [0.716, 0.392], [0.5, 0.62], [0.318, 0.795], [0.682, 0.795]])


@dataclass(frozen=True)
class Anchors:
    """centers: (N,2) x, y; sides: (N,1); pixels of the input, float32."""

    centers: Tensor
    sides: Tensor


class RetinaFace:
    """A RetinaFace network as a detector. Works on the device, several pictures of one shape in a call."""

    on_host = False
    box_points = BOX_POINTS

    def __init__(
        self,
        name: str,
        network: nn.Module,
        settings: Settings,
        device: torch.device,
        threshold: float,
        weights: Path | None = None,
    ) -> None:
        self.name = name
        self.weights = weights
        self.threshold = threshold if settings.detect_threshold is None else settings.detect_threshold
        self.bound = bound_of(settings)
        self.batch_size = 8
        self._settings = settings
        self._device = device
        self._network = network
        # Packed for a CPU it has none, and computes in float32.
        self._dtype = next((weight.dtype for weight in network.parameters()), torch.float32)

    def __call__(self, frame: Frame) -> list[Face]:
        """The faces, best first."""
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """The faces of each picture, best first."""
        return search(frames, self._search_pass, self._settings, self.threshold)

    def _search_pass(
        self, frames: Sequence[Frame], search_pass: SearchPass, floor: float
    ) -> list[list[Face]]:
        """One look at each picture; those of one shape in one call."""
        places = [place(frame, search_pass) for frame in frames]
        # At full size the faces are facexlib's own, to the pixel: no padding, no votes.
        full = self.bound is None
        grid = 1 if full else _GRID
        shapes = [_padded(where, grid) for where in places]
        found: list[list[Face]] = [[] for _ in frames]
        for group in _groups(shapes, self.batch_size, _MOST_PIXELS[self._device.type]):
            batch = self._batch([frames[i] for i in group], [places[i] for i in group], shapes[group[0]])
            for number, read in zip(group, self._read(batch, floor), strict=True):
                found[number] = read.faces(places[number], vote=not full)
        return found

    def _batch(self, frames: Sequence[Frame], places: Sequence[Place], shape: tuple[int, int]) -> Tensor:
        """(B,3,H,W) RGB around the mean colour, NHWC in memory; padding is the mean."""
        fill = _fill_on_host if self._device.type == "cpu" else _fill_on_device
        batch = torch.zeros(len(frames), *shape, 3, device=self._device, dtype=self._dtype)
        for slot, frame, where in zip(batch, frames, places, strict=True):
            y = x = where.border
            fill(frame, where, slot[y : y + where.height, x : x + where.width])
        return batch.permute(0, 3, 1, 2)

    def _read(self, batch: Tensor, floor: float) -> list[Reading]:
        """What the network sees in each picture of a batch (B,3,H,W)."""
        try:
            with arithmetic("fp32", self._device):
                values = self._network(batch).float()
                odds = values[..., 5] - values[..., 4]
                picture, index = (odds > log_odds(floor)).nonzero(as_tuple=True)
                anchors = anchors_of(batch.shape[2], batch.shape[3], self._device)
                rows = decode(values[picture, index], anchors, index)
                sure = odds[picture, index].sigmoid()
                best = _suppressed(rows[:, :4], sure, picture, len(batch))
                kept = torch.zeros_like(sure).index_fill_(0, best, 1.0)
                packed = torch.cat([torch.stack([picture.to(rows.dtype), kept, sure], 1), rows], 1)
                host = packed.cpu().numpy()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise PictureError(
                f"looking for faces in {batch.shape[3]}x{batch.shape[2]} pixels does not fit into memory. "
                "Try a smaller --detect-size."
            ) from error
        if len(batch) == 1:
            return [Reading(host[:, 1:])]
        return [Reading(host[host[:, 0] == number, 1:]) for number in range(len(batch))]


@dataclass(frozen=True)
class Reading:
    """rows: (N,16) float32: 1 for a face or 0, score, box and five points in pixels of the input."""

    rows: NDArray[np.float32]

    def faces(self, where: Place, *, vote: bool) -> list[Face]:
        """The faces in the picture's pixels; boxes and points voted for by their neighbours."""
        kept, scores, boxes, points = np.split(self.rows.astype(np.float64), [1, 2, 6], axis=1)
        scores, best = scores[:, 0], np.flatnonzero(kept)
        chosen = voted(boxes, scores, points, best) if vote else (boxes[best], points[best])
        corners = where.to_picture(chosen[0].reshape(-1, 2, 2)).reshape(-1, 4)
        spots = where.to_picture(chosen[1].reshape(-1, 5, 2))
        return [
            Face(box_of(corner), float(score), spot)
            for corner, score, spot in zip(corners, scores[best], spots, strict=True)
        ]


def open_network(kind: str, weights: Path, device: torch.device, *, half: bool) -> nn.Module:
    """facexlib's network of the kind `resnet50` or `mobile0.25` from a weights file, ready for inference.

    It takes (B,3,H,W) RGB around the mean colour and returns what `decode` takes. Raises CheckpointError.
    """
    network = build(kind)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    except Exception as cause:  # torch fails on damaged files in many ways
        raise CheckpointError(
            f"{weights}: cannot be read as RetinaFace {kind} ({first_line(cause)})."
        ) from cause
    return prepared(network, device, half=half)


def half(settings: Settings, device: torch.device) -> bool:
    """Whether to run in fp16: on CUDA, unless another precision was named. CPUs have no fp16 convolutions."""
    return device.type == "cuda" and settings.precision in {"auto", "half", "fp16"}


def build(kind: str) -> nn.Module:
    """facexlib's network with weights yet to be read. PluginError where facexlib is not there or broken."""
    try:
        from facexlib.detection.retinaface import RetinaFace as Network
    except ImportError as cause:
        raise PluginError(
            f"retinaface needs facexlib, which cannot be imported ({first_line(cause)}). "
            "Try: pip install --force-reinstall facexlib; or --detector yunet or lite"
        ) from cause

    with warnings.catch_warnings(), torch.device("cpu"):
        warnings.simplefilter("ignore")  # torchvision's, about an argument of facexlib's
        # In training it returns logits instead of probabilities, which is all that is meant by it there.
        return Network(kind, phase="train", device=torch.device("cpu"))


def prepared(network: nn.Module, device: torch.device, *, half: bool) -> nn.Module:
    """The network in its compact form, NHWC, on the device."""
    compact = Compact(network).to(memory_format=torch.channels_last)
    compact = compact.to(device, torch.float16 if half else torch.float32).requires_grad_(False)
    if device.type == "cpu" and onednn.supports(torch.float32):
        keep_freed_memory()
        return packed(compact)
    return compact


@lru_cache(maxsize=32)
def anchors_of(height: int, width: int, device: torch.device) -> Anchors:
    """Every anchor of an input of that size, by stride, row, column and side, as the network's output lies."""
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


def decode(values: Tensor, anchors: Anchors, index: Tensor) -> Tensor:
    """(N,14) x0, y0, x1, y1 and five points, pixels, from the network's (N,16) values at anchors `index`."""
    centers, sides = anchors.centers[index], anchors.sides[index]
    spots = torch.addcmul(centers.repeat(1, values.shape[1] // 2), values, sides, value=_VARIANCES[0])
    half = torch.exp(values[:, 2:4] * _VARIANCES[1]) * (sides / 2)
    return torch.cat([spots[:, :2] - half, spots[:, :2] + half, spots[:, 6:]], 1)


def _fill_on_host(frame: Frame, where: Place, slot: Tensor) -> None:
    mean: Any = (*MEAN, 0)  # a scalar of OpenCV's
    cv2.subtract(pixels(frame, where), mean, dst=slot.numpy(), dtype=cv2.CV_32F)


def _fill_on_device(frame: Frame, where: Place, slot: Tensor) -> None:
    mean = torch.tensor(MEAN, dtype=torch.float32, device=frame.pixels.device)
    slot[:] = _shrunk(frame, where).permute(1, 2, 0) - mean


def _shrunk(frame: Frame, where: Place) -> Tensor:
    """(1|3,h,w) on the frame's device, 0..255."""
    size = (where.height, where.width)
    colour = frame.pixels.float() / (257 if frame.pixels.dtype == torch.uint16 else 1)
    if size == (frame.height, frame.width):
        return colour
    if frame.height > _COARSE * where.height:
        # CUDA's antialiased kernel has no room for very wide filters.
        colour = F.interpolate(colour[None], [4 * side for side in size], mode="area")[0]
    return F.interpolate(colour[None], size, mode="bilinear", antialias=True)[0]


def _suppressed(boxes: Tensor, scores: Tensor, picture: Tensor, pictures: int) -> Tensor:
    """Indices of the best box of each face."""
    from torchvision.ops import batched_nms, nms

    return nms(boxes, scores, _OVERLAP) if pictures == 1 else batched_nms(boxes, scores, picture, _OVERLAP)


def log_odds(probability: float) -> float:
    """log(p / (1 - p)) of a probability above 0: infinite for 1."""
    return math.log(probability / (1 - probability)) if probability < 1 else math.inf


def _padded(where: Place, grid: int) -> tuple[int, int]:
    height, width = (-(-(side + 2 * where.border) // grid) * grid for side in (where.height, where.width))
    return height, width


def _groups(shapes: Sequence[tuple[int, int]], most: int, pixels: int) -> Iterator[list[int]]:
    """Indices of equal shapes, no more at once than `most` or than have `pixels` together."""
    for shape in dict.fromkeys(shapes):
        same = [i for i, other in enumerate(shapes) if other == shape]
        step = max(1, min(most, pixels // (shape[0] * shape[1])))
        yield from (same[i : i + step] for i in range(0, len(same), step))
