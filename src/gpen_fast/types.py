"""The named values that travel between stages: checked once, where they are made, then trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gpen_fast.errors import PictureError

# What a caller may give as a picture: a file's path, or pixels as `load_image` describes them.
PictureInput = Path | NDArray[np.generic] | Tensor | Image.Image
# The largest value of a channel in each depth.
TOPS = {torch.uint8: 255, torch.uint16: 65535}


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """One picture, upright.

    pixels: (1|3,H,W) uint8 or uint16, grey or RGB, full range, on any device.
    alpha: (1,H,W) of the same dtype, or None. channels: colour channels of the input, 1 or 3; a colour input
    whose channels are equal everywhere has grey pixels and channels 3.
    exif, icc, xmp: bytes to carry into the output; exif says upright, icc fits the channels. dpi: pixels per inch,
    across and down. kind: the input's format in Pillow's words, "" for an array.
    host: the decoded pixels in host memory where `pixels` lies elsewhere. note: what of the file is not here.
    sha256: of the file's bytes, in hexadecimal, "" where it was not asked for or there is no file.
    """

    pixels: Tensor
    alpha: Tensor | None = None
    channels: int = 3
    exif: bytes | None = None
    icc: bytes | None = None
    kind: str = ""
    host: Tensor | None = None
    note: str = ""
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        shape = tuple(self.pixels.shape)
        if len(shape) != 3 or shape[0] not in (1, 3) or 0 in shape or self.pixels.dtype not in TOPS:
            raise PictureError(
                f"a picture of shape {shape}, {self.pixels.dtype}: accepted is (1|3,H,W) uint8 or uint16, not empty."
            )
        if self.alpha is not None and (
            tuple(self.alpha.shape) != (1, *shape[1:]) or self.alpha.dtype != self.pixels.dtype
        ):
            raise PictureError(
                f"alpha of shape {tuple(self.alpha.shape)}, {self.alpha.dtype}, for a picture of shape {shape}: "
                f"accepted is (1,{shape[1]},{shape[2]}), {self.pixels.dtype}."
            )

    @property
    def height(self) -> int:
        """Pixels."""
        return self.pixels.shape[1]

    @property
    def width(self) -> int:
        """Pixels."""
        return self.pixels.shape[2]

    @property
    def on_host(self) -> Tensor:
        """The pixels in host memory; copies from the device only where no host copy was kept."""
        return self.pixels.cpu() if self.host is None else self.host

    def __repr__(self) -> str:
        shape = "x".join(str(side) for side in self.pixels.shape)
        carried = [name for name in ("alpha", "exif", "icc", "xmp") if getattr(self, name) is not None]
        return f"Frame({shape} {_name(self.pixels.dtype)} {self.pixels.device}{''.join(f', {c}' for c in carried)})"


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in a picture, in its pixel coordinates (centre of the first pixel: 0,0).

    box: x0, y0, x1, y1. score: confidence in 0..1. landmarks: (5,2) float64, left eye, right eye, nose, left
    and right mouth corner as seen in the picture, or None. roll: degrees, clockwise in the picture, used where
    there are no landmarks.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float64] | None = None
    roll: float = 0.0

    def __post_init__(self) -> None:
        if self.landmarks is not None and self.landmarks.shape != (5, 2):
            raise PictureError(f"landmarks of shape {self.landmarks.shape}: accepted is (5,2).")

    @property
    def short_side(self) -> float:
        """The box's shorter side, pixels."""
        return min(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def area(self) -> float:
        """The box's area, square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    @property
    def center(self) -> tuple[float, float]:
        """The box's middle, pixels."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, eq=False, repr=False)
class FaceBatch:
    """Square crops for the network, in the depth of their picture.

    pixels: (B,3,S,S) uint8 or uint16, RGB. matrices: (B,2,3) float64, picture to crop coordinates.
    """

    pixels: Tensor
    matrices: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = tuple(self.pixels.shape)
        if len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3] or self.pixels.dtype not in TOPS:
            raise PictureError(
                f"crops of shape {shape}, {self.pixels.dtype}: accepted is (B,3,S,S) uint8 or uint16."
            )
        if self.matrices.shape != (shape[0], 2, 3):
            raise PictureError(f"matrices of shape {self.matrices.shape}: accepted is ({shape[0]},2,3).")

    def __len__(self) -> int:
        return self.pixels.shape[0]

    def __repr__(self) -> str:
        shape = "x".join(str(side) for side in self.pixels.shape)
        return f"FaceBatch({shape} {_name(self.pixels.dtype)} {self.pixels.device})"


@dataclass(frozen=True, eq=False)
class RestoredFace:
    """One face's way through the pipeline.

    box, score, landmarks: as in Face. matrix: (2,3) float64, picture to crop coordinates.
    crop, restored: (3,S,S) tensors, RGB, in the picture's depth, before and after the network; in host memory
    in a Restoration.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float64] | None
    matrix: NDArray[np.float64]
    crop: Tensor = field(repr=False)
    restored: Tensor = field(repr=False)


@dataclass(frozen=True, eq=False)
class Restoration:
    """What became of one picture.

    image: the restored picture in the input's kind, depth and channels (a path gives numpy); None where
    `error` is set. timing: host milliseconds per stage; a batch's time is shared evenly among its faces.
    """

    image: Any = field(repr=False)
    faces: tuple[RestoredFace, ...] = ()
    timing: Mapping[str, float] = field(default_factory=dict)
    error: Exception | None = None
    path: Path | None = None


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
