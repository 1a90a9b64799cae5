"""Samples of frames as arrays: one plane for each component, changed in place."""

from __future__ import annotations

from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from gpen_fast.errors import VideoError
from gpen_fast.video.colour import converted, is_grey, is_rgb

# Formats whose components share a plane -> the format with a plane for each that holds the same samples.
_PLANAR = {
    "nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "nv42": "yuv444p",
    "p010le": "yuv420p10le", "p012le": "yuv420p12le", "p016le": "yuv420p16le", "p210le": "yuv422p10le",
    "p216le": "yuv422p16le", "p410le": "yuv444p10le", "nv20le": "yuv422p10le", "y210le": "yuv422p10le",
    "yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p", "uyyvyy411": "yuv411p",
    "rgb24": "gbrp", "bgr24": "gbrp", "rgb0": "gbrp", "bgr0": "gbrp", "0rgb": "gbrp", "0bgr": "gbrp",
    "rgba": "gbrap", "bgra": "gbrap", "argb": "gbrap", "abgr": "gbrap", "pal8": "gbrap",
    "rgb48le": "gbrp16le", "rgb48be": "gbrp16le", "rgba64le": "gbrap16le", "rgba64be": "gbrap16le",
    "rgb555le": "gbrp", "rgb555be": "gbrp", "rgb565le": "gbrp", "bgr555le": "gbrp", "rgb8": "gbrp",
    "gray10be": "gray10le", "gray12be": "gray12le", "gray16be": "gray16le", "monob": "gray", "monow": "gray",
}  # fmt: skip


class Component(NamedTuple):
    """One component of a frame."""

    samples: NDArray[np.uint8 | np.uint16]
    """(h,w), the frame's own memory."""
    bits: int
    """Bits of a sample."""


def planar(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame with a plane for each component, little-endian: itself where it is so already.

    Raises:
        VideoError: Its format is none that can be taken apart without loss.
    """
    made = converted(frame, _PLANAR.get(frame.format.name, frame.format.name))
    if not _is_planar(made.format):
        raise VideoError(
            f"pixel format {frame.format.name}: its samples cannot be changed in place. "
            "Convert it first, such as by ffmpeg -pix_fmt yuv444p."
        )
    return made


def planar_name(format: str) -> str:
    """The pixel format that `planar` gives to frames of a format."""
    return _PLANAR.get(format, format)


def components(frame: av.VideoFrame) -> list[Component]:
    """The components of a planar frame, alpha left out: Y, U, V or green, blue, red (as their planes lie), or grey.

    The caller makes the frame writable before it changes samples.
    """
    width, height = frame.width, frame.height
    found = []
    for part in frame.format.components:
        if part.is_alpha:
            continue
        plane = frame.planes[part.plane]
        dtype = np.uint8 if part.bits <= 8 else np.uint16
        lines = np.frombuffer(plane, dtype).reshape(  # type: ignore[call-overload]  # PyAV's stubs lack the buffer
            -1, plane.line_size // np.dtype(dtype).itemsize
        )
        w = _reduced(width, frame.format, part.is_chroma, across=True)
        h = _reduced(height, frame.format, part.is_chroma, across=False)
        found.append(Component(lines[:h, :w], part.bits))
    return found


def chroma_block(frame: av.VideoFrame) -> tuple[int, int]:
    """Pixels across and down that share a sample of chroma."""
    if is_rgb(frame) or is_grey(frame):
        return 1, 1
    # Of a width that every subsampling divides.
    return 64 // frame.format.chroma_width(64), 64 // frame.format.chroma_height(64)


def cut_out(frame: av.VideoFrame, x0: int, y0: int, x1: int, y1: int) -> av.VideoFrame:
    """A copy of the samples of x0 <= x < x1, y0 <= y < y1, all of them at whole samples of chroma; alpha is any."""
    # Reduced rather than made anew: so it has the frame's place of chroma, which PyAV cannot set and swscale goes by.
    part = frame.reformat(width=x1 - x0, height=y1 - y0, interpolation=Interpolation.POINT, threads=1)
    if part is frame:
        return frame
    for whole, target in zip(components(frame), components(part), strict=True):
        rows, columns = target.samples.shape
        across = round(x0 * whole.samples.shape[1] / frame.width)
        down = round(y0 * whole.samples.shape[0] / frame.height)
        target.samples[...] = whole.samples[down : down + rows, across : across + columns]
    return part


def _reduced(side: int, format: av.VideoFormat, chroma: bool, *, across: bool) -> int:
    if not chroma:
        return side
    return int(format.chroma_width(side) if across else format.chroma_height(side))


def _is_planar(format: av.VideoFormat) -> bool:
    parts = format.components
    own_planes = len({part.plane for part in parts}) == len(parts)
    deep = any(part.bits > 8 for part in parts)
    return own_planes and all(8 <= part.bits <= 16 for part in parts) and not (deep and format.is_big_endian)
