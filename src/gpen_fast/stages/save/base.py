"""The interface of picture writers, and what they share. Each other file of this folder adds a format."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from gpen_fast import plugins
from gpen_fast.errors import PictureError
from gpen_fast.image.colour_chunks import colour_profile
from gpen_fast.image.convert import to_array
from gpen_fast.image.exif import exif_of_size
from gpen_fast.settings import FAST
from gpen_fast.types import ICC_GREY, ICC_RGB, Frame, icc_space


class Carried(TypedDict, total=False):
    """Metadata under the names that Pillow's writers take; what a picture lacks is absent."""

    exif: bytes
    icc_profile: bytes
    xmp: bytes
    dpi: tuple[float, float]


class Writer(Protocol):
    """A picture format."""

    def encode(self, frame: Frame, quality: int, level: str = FAST) -> bytes:
        """Encodes a picture, its metadata included.

        Args:
            frame: The picture.
            quality: 1..100, for lossy formats.
            level: One of PNG_LEVELS, for PNG.

        Returns:
            The whole file.

        Raises:
            PictureError: The format cannot hold the picture.
        """


def open_writer(suffix: str) -> Writer:
    """The writer for a file suffix, given without its dot.

    Raises:
        PictureError: No writer has that suffix.
    """
    if suffix not in plugins.names("save"):
        raise PictureError(
            f"cannot write {suffix or 'files without a suffix'!r}: accepted are {', '.join(plugins.names('save'))}."
        )
    return plugins.load_plugin("save", suffix)


def as_grey(frame: Frame) -> Frame:
    """The frame with one channel, a third of the size, where its three are equal everywhere.

    A picture whose profile describes RGB keeps its three channels: the profile would not fit one.
    """
    return frame if icc_space(frame.icc) == ICC_RGB else replace(frame, channels=frame.pixels.shape[0])


def as_written(frame: Frame) -> tuple[Frame, bytes | None]:
    """The frame with the channels to write, without metadata, and the ICC profile that describes them.

    The result has its input's channels, also where they are equal everywhere: films and other sequences are read in the
    form of their first frame. A profile of other channels than the written ones is left out.
    """
    space = icc_space(frame.icc)
    fits = space == {1: ICC_GREY, 3: ICC_RGB}[frame.channels]
    return Frame(frame.pixels, frame.alpha, frame.channels), frame.icc if fits else None


def array_as_written(frame: Frame) -> tuple[NDArray[np.uint8 | np.uint16], bytes | None]:
    """`as_written` as an (H,W) or (H,W,2|3|4) array in host memory, and the profile that describes it.

    Without a profile of its own, a picture has that which its PNG chunks of colour stand for: see `colour_profile`.
    """
    lean, icc = as_written(frame)
    return to_array(lean), icc or colour_profile(frame.blocks, lean.channels)


def carried_metadata(frame: Frame, icc: bytes | None) -> Carried:
    """The metadata to write; EXIF states the size of this frame.

    Args:
        frame: The picture to write.
        icc: The profile that describes the written channels: see `as_written`.
    """
    carried: Carried = {}
    if frame.exif:
        carried["exif"] = exif_of_size(frame.exif, frame.width, frame.height)
    if icc:
        carried["icc_profile"] = icc
    if frame.xmp:
        carried["xmp"] = frame.xmp
    if frame.dpi:
        carried["dpi"] = frame.dpi
    return carried
