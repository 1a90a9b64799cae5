"""Colour of frames: which matrix and range their samples have, and the exact way to RGB."""

from __future__ import annotations

from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from gpen_fast.errors import VideoError

# Lines from which an untagged picture is taken for BT.709, as players do; below it is BT.601.
HD_LINES = 720
# Values of AVColorSpace (libavutil/pixfmt.h): untagged ones, and the matrices that are known.
_UNTAGGED = frozenset({2, 3})
_RGB = 0
# Without these flags swscale rounds down, and takes the chroma of the nearest sample.
EXACT = (
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
)
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG


class Matrix(NamedTuple):
    """How luma is made of red, green and blue."""

    kr: float
    """Weight of red."""
    kb: float
    """Weight of blue."""
    colorspace: Colorspace
    """Its name in swscale."""


_MATRICES = {
    1: Matrix(0.2126, 0.0722, Colorspace.ITU709),
    4: Matrix(0.30, 0.11, Colorspace.FCC),
    5: Matrix(0.299, 0.114, Colorspace.ITU601),
    6: Matrix(0.299, 0.114, Colorspace.ITU601),
    7: Matrix(0.212, 0.087, Colorspace.SMPTE240M),
    9: Matrix(0.2627, 0.0593, Colorspace.BT2020),
}


def is_rgb(frame: av.VideoFrame) -> bool:
    """Whether the frame's samples are red, green and blue."""
    return bool(frame.format.is_rgb) or frame.format.name == "pal8"


def is_grey(frame: av.VideoFrame) -> bool:
    """Whether the frame has luma only."""
    # PyAV tells chroma only where it is subsampled, so the components are counted.
    return sum(not each.is_alpha for each in frame.format.components) == 1 and not is_rgb(frame)


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether black and white are the ends of the samples' range."""
    return (
        is_rgb(frame)
        or is_grey(frame)
        or frame.format.name.startswith("yuvj")
        or frame.color_range == _FULL_RANGE
    )


def frame_matrix(frame: av.VideoFrame) -> Matrix:
    """The matrix of a frame's luma and chroma: its tag's, or without a tag the one that players take.

    Raises:
        VideoError: The tag names a matrix that is not known.
    """
    tag = frame.colorspace
    if tag in _UNTAGGED or tag == _RGB or is_rgb(frame):
        return _MATRICES[1] if frame.height >= HD_LINES else _MATRICES[6]
    if tag not in _MATRICES:
        raise VideoError(
            f"its colour matrix (number {tag} of ITU-T H.273) is not known here: accepted are BT.601, BT.709, BT.2020, "
            "SMPTE 240M and FCC. Convert it first, such as by ffmpeg -vf colorspace=bt709."
        )
    return _MATRICES[tag]


def to_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The frame as (H,W,3) RGB, 8 bits, full range."""
    return part_to_rgb(frame, frame)


def quick_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """`to_rgb` in a tenth of the time, for eyes that need no exact colour: chroma is that of the nearest sample."""
    return part_to_rgb(frame, frame, Interpolation.FAST_BILINEAR)


def part_to_rgb(
    part: av.VideoFrame, frame: av.VideoFrame, interpolation: Interpolation = EXACT
) -> NDArray[np.uint8]:
    """Samples that were cut out of a frame, as (H,W,3) RGB: by the whole frame's matrix and range."""
    matrix = frame_matrix(frame)
    rgb = part.reformat(
        format="rgb24",
        src_colorspace=matrix.colorspace,
        dst_colorspace=matrix.colorspace,
        src_color_range=ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=interpolation,
        threads=1,
    )
    return np.asarray(rgb.to_ndarray(), dtype=np.uint8)


def converted(frame: av.VideoFrame, format: str) -> av.VideoFrame:
    """The frame in another pixel format; its matrix and, but for RGB, its range stay."""
    if frame.format.name == format:
        return frame
    matrix = frame_matrix(frame)
    before = ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG
    to = av.VideoFormat(format)
    full = to.is_rgb or format.startswith("yuvj")
    limited = not full and (
        is_rgb(frame) or (format.startswith("yuv") and frame.format.name.startswith("gray"))
    )
    made = frame.reformat(
        format=format,
        src_colorspace=matrix.colorspace,
        dst_colorspace=matrix.colorspace,
        src_color_range=before,
        dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG if limited else before,
        interpolation=EXACT,
        threads=1,
    )
    made.pts = frame.pts
    if frame.time_base:
        made.time_base = frame.time_base
    return made
