"""The values that pass between stages. They are checked once, where they are constructed, and trusted from then on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gpen_fast.errors import PictureError

# The largest value of a channel in each depth.
TOPS = {torch.uint8: 255, torch.uint16: 65535}
# Whose metadata a block is.
MetadataHolder = Literal["jpeg", "png", "tiff", "photoshop", "comment"]
# Colour spaces as an ICC profile's header names them, and where (ICC.1:2022, 7.2.6).
ICC_RGB, ICC_GREY = b"RGB ", b"GRAY"
_ICC_SPACE = slice(16, 20)


@dataclass(frozen=True)
class MetadataBlock:
    """A part of a file beside its pixels, byte for byte."""

    holder: MetadataHolder
    """Where it was: the format that it belongs to, or comment and photoshop for what several formats hold."""

    name: str
    """What the format calls it: APP5 or COM (JPEG), tEXt (PNG), the tag's number (TIFF)."""

    data: bytes = field(repr=False)
    """Its content, without length and checksum. For tiff, the type's number in 2 bytes and the values, both
    little-endian; for photoshop, image resources that begin with 8BIM."""


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """One picture, upright."""

    pixels: Tensor
    """(1|3,H,W) uint8 or uint16, grey or RGB, full range, on any device."""

    alpha: Tensor | None = None
    """(1,H,W) of the same dtype; None for an opaque picture."""

    channels: int = 3
    """Colour channels of the input, 1 or 3. A colour input whose channels are equal everywhere has grey pixels and
    channels 3."""

    exif: bytes | None = None
    """EXIF to carry into the output; its orientation says upright."""

    icc: bytes | None = None
    """ICC profile to carry into the output; it fits the channels."""

    kind: str = ""
    """The input's format in Pillow's words, such as JPEG; empty for an array."""

    host: Tensor | None = None
    """The decoded pixels in host memory, where `pixels` lies elsewhere and such a copy was kept."""

    note: str = ""
    """What of the file this frame does not hold, as a sentence for the user; empty where it holds everything."""

    xmp: bytes | None = None
    """XMP to carry into the output."""

    dpi: tuple[float, float] | None = None
    """Pixels per inch, across and down."""

    blocks: tuple[MetadataBlock, ...] = ()
    """Further metadata to carry into outputs whose format holds it."""

    unkept: str = ""
    """What of the file no result holds, as a noun for messages, such as "an animation of 12 frames": a result that
    replaces the file would destroy it. Empty where there is nothing."""

    lossless: bool = False
    """Whether the file is a WebP whose pixels are stored without loss."""

    sha256: str = ""
    """SHA-256 of the file's bytes in hexadecimal; empty if it was not requested or there is no file."""

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
        """Rows of pixels."""
        return self.pixels.shape[1]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.pixels.shape[2]

    @property
    def on_host(self) -> Tensor:
        """The pixels in host memory. Copies them from the device unless a host copy was kept."""
        return self.pixels.cpu() if self.host is None else self.host

    def writable(self) -> Tensor:
        """A copy of the pixels, for a result."""
        return self.pixels.clone()

    def __repr__(self) -> str:
        shape = "x".join(str(side) for side in self.pixels.shape)
        carried = [name for name in ("alpha", "exif", "icc", "xmp") if getattr(self, name) is not None]
        return f"Frame({shape} {_name(self.pixels.dtype)} {self.pixels.device}{''.join(f', {c}' for c in carried)})"


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in a picture, in its pixel coordinates: the centre of the first pixel is 0,0."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1, pixels."""

    score: float
    """The detector's confidence, 0..1."""

    landmarks: NDArray[np.float64] | None = None
    """(5,2) pixels: left eye, right eye, nose, left and right corner of the mouth, as seen in the picture. None for a
    detector of boxes only."""

    roll: float = 0.0
    """Degrees by which the face is turned clockwise in the picture. Used where there are no landmarks."""

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
    """Square crops for the network, in the depth of their picture."""

    pixels: Tensor
    """(B,3,S,S) uint8 or uint16, RGB."""

    matrices: NDArray[np.float64]
    """(B,2,3): each maps the picture's coordinates to its crop's."""

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
    """One face before and after the network."""

    box: tuple[float, float, float, float]
    """As in `Face`."""

    score: float
    """As in `Face`."""

    landmarks: NDArray[np.float64] | None
    """As in `Face`."""

    matrix: NDArray[np.float64]
    """(2,3): maps the picture's coordinates to the crop's."""

    crop: Tensor = field(repr=False)
    """(3,S,S), RGB, in the picture's depth, before the network. In host memory in a `Restoration`."""

    restored: Tensor = field(repr=False)
    """(3,S,S), RGB, in the picture's depth, after the network. In host memory in a `Restoration`."""


# A picture as the stages take it: a file's path, or pixels as `load_image` describes them.
PictureInput = Path | NDArray[np.generic] | Tensor | Image.Image | Frame
# What a caller may give: a path of any kind, such as an entry of os.scandir, or pixels.
AnyPicture = PictureInput | str | bytes | os.PathLike[str] | os.PathLike[bytes]


def as_picture(image: AnyPicture) -> PictureInput:
    """A path of any kind as a Path; pixels as they are."""
    return Path(os.fsdecode(image)) if isinstance(image, str | bytes | os.PathLike) else image


def icc_space(icc: bytes | None) -> bytes:
    """The colour space that an ICC profile names, such as ICC_RGB; empty without a profile."""
    return (icc or b"")[_ICC_SPACE]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
