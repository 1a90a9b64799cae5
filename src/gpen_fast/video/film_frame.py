"""A film's frame whose RGB is made only where it is looked at: a face is a small part of a frame.

Each part has the very pixels that a conversion of the whole frame gives: it is cut out at whole samples of chroma and
with a margin as wide as the interpolation of chroma reaches.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.similarity import Points
from gpen_fast.types import Frame
from gpen_fast.video.change import Area
from gpen_fast.video.colour import is_grey, is_rgb, part_to_rgb
from gpen_fast.video.planes import chroma_block, components, cut_out

# Parts begin and end at multiples of this many pixels: a multiple of every subsampling of chroma.
_STEP = 16
# Pixels around a part that are converted too: interpolation of chroma reaches less far.
_MARGIN = 16
# Pixels around what is looked at that interpolation, and whole samples of chroma, take in.
_INTERPOLATION = 8
# What is converted beyond what is asked for, as a share of its sides: what is looked at next lies near it.
_MORE = 0.2
# Chroma this far from its middle, in units of 8 bits, shows that a frame has colour; so many samples apart it is looked
# at.
_COLOURED, _SPARSE = 8, 13
# Samples along each side of a cell that its mean is taken of, at least.
_SAMPLES = 8


@dataclass(frozen=True, eq=False, repr=False)
class FilmFrame(Frame):
    """A frame whose `pixels` hold RGB only where they were shown; elsewhere they are whatever the memory held."""

    decoded: av.VideoFrame = field(kw_only=True)
    """Its samples."""
    rotation: int = field(kw_only=True)
    """Degrees counter-clockwise by which they are turned upright: a multiple of 90."""
    areas: list[Area] = field(default_factory=list, kw_only=True)
    """Where the pixels are RGB. A frame that `replace` makes has a list of its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "areas", list(self.areas))

    @property
    def on_host(self) -> Tensor:
        """All pixels."""
        self.show(Area(0, 0, self.width, self.height))
        return super().on_host

    def show(self, area: Area) -> None:
        """Makes the pixels of an area RGB, as far as it lies within the frame; those that are so already stay."""
        area = within(area, self.width, self.height)
        if area.x1 <= area.x0 or area.y1 <= area.y0 or any(_contains(each, area) for each in self.areas):
            return
        area = _generous(area, self.width, self.height)
        pixels = self.pixels.permute(1, 2, 0).numpy()
        # A part that is known may hold a restored face.
        known = [(each, pixels[_slices(each)].copy()) for each in self.areas if _overlap(each, area)]
        pixels[_slices(area)] = self._converted(area)
        for each, kept in known:
            pixels[_slices(each)] = kept
        self.areas.append(area)

    def writable(self) -> Tensor:
        """A copy of the pixels where they are RGB."""
        copy = torch.empty_like(self.pixels)
        for area in self.areas:
            rows, columns = _slices(area)
            copy[:, rows, columns] = self.pixels[:, rows, columns]
        return copy

    def brightness(self, side: int) -> NDArray[np.float32]:
        """(side,side) float32: means of the frame's luma, 0..255, upright; of large frames not each sample counts."""
        luma = components(self.decoded)[0]
        step = sparse_step(luma.samples.shape, side)
        some = luma.samples[::step, ::step].astype(np.float32)
        upright = np.rot90(cv2.resize(some, (side, side), interpolation=cv2.INTER_AREA), self.rotation // 90)
        return np.ascontiguousarray(upright / np.float32(1 << (luma.bits - 8)))

    def _converted(self, area: Area) -> NDArray[np.uint8]:
        """(h,w,3): the area's pixels."""
        turned = turned_back(area, (self.width, self.height), self.rotation)
        wider = within(
            Area(turned.x0 - _MARGIN, turned.y0 - _MARGIN, turned.x1 + _MARGIN, turned.y1 + _MARGIN),
            self.decoded.width,
            self.decoded.height,
        )
        # Turned, an area may begin at an odd place.
        start = wider.x0 // _STEP * _STEP, wider.y0 // _STEP * _STEP
        part = cut_out(self.decoded, *start, *wider[2:])
        rgb = part_to_rgb(part, self.decoded)
        inner = rgb[
            turned.y0 - start[1] : turned.y1 - start[1],
            turned.x0 - start[0] : turned.x1 - start[0],
        ]
        return np.rot90(inner, self.rotation // 90)


def film_frame(decoded: av.VideoFrame, rotation: int) -> Frame | None:
    """The frame, upright, none of it converted yet; None where a part of it would not be as the whole gives it.

    That is so where chroma's subsampling does not divide the frame's sides. Frames without colour are not taken
    either: only the whole frame shows whether the pixels are grey.
    """
    across, down = chroma_block(decoded)
    if is_rgb(decoded) or is_grey(decoded) or decoded.width % across or decoded.height % down:
        return None
    if not _has_colour(decoded):
        return None
    sides = (decoded.height, decoded.width) if rotation % 180 == 0 else (decoded.width, decoded.height)
    pixels = torch.from_numpy(np.empty((*sides, 3), dtype=np.uint8)).permute(2, 0, 1)
    return FilmFrame(pixels, decoded=decoded, rotation=rotation)


def with_area(frame: Frame, area: Area) -> Frame:
    """The frame, its pixels in the area set. For any frame: one that is no film's has all of them."""
    if isinstance(frame, FilmFrame):
        frame.show(area)
    return frame


def area_around(points: Points, reach: float = 0.0) -> Area:
    """The rectangle around (N,2) points and some pixels more, which interpolation needs.

    Args:
        points: Pixels.
        reach: By how much it is wider on each side, as a share of the larger extent of the points.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    more = reach * float((high - low).max()) + _INTERPOLATION
    x0, y0 = np.floor(low - more).astype(int).tolist()
    x1, y1 = np.ceil(high + more + 1).astype(int).tolist()
    return Area(x0, y0, x1, y1)


def sparse_step(shape: tuple[int, ...], side: int) -> int:
    """Of so many rows and columns of (...,H,W) one is enough for means over (side,side) cells."""
    return max(1, min(shape[-2:]) // (side * _SAMPLES))


def within(area: Area, width: int, height: int) -> Area:
    """The part of an area that lies in a picture."""
    return Area(max(0, area.x0), max(0, area.y0), min(width, area.x1), min(height, area.y1))


def turned_back(area: Area, shape: tuple[int, int], rotation: int) -> Area:
    """The area of an upright picture of that width and height, in the picture as it was decoded."""
    width, height = shape
    for _ in range(rotation // 90 % 4):
        # One quarter clockwise: x becomes height - 1 - y, and y becomes x.
        area = Area(height - area.y1, area.x0, height - area.y0, area.x1)
        width, height = height, width
    return area


def _has_colour(decoded: av.VideoFrame) -> bool:
    for samples, bits in components(decoded)[1:]:
        some = samples[::_SPARSE, ::_SPARSE].astype(np.int32)
        if (np.abs(some - (1 << (bits - 1))) >= _COLOURED << (bits - 8)).any():
            return True
    return False


def _generous(area: Area, width: int, height: int) -> Area:
    """The area and what is around it, from step to step."""
    across, down = round((area.x1 - area.x0) * _MORE), round((area.y1 - area.y0) * _MORE)
    grown = Area(
        (area.x0 - across) // _STEP * _STEP,
        (area.y0 - down) // _STEP * _STEP,
        -(-(area.x1 + across) // _STEP) * _STEP,
        -(-(area.y1 + down) // _STEP) * _STEP,
    )
    return within(grown, width, height)


def _contains(outer: Area, inner: Area) -> bool:
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and outer.x1 >= inner.x1 and outer.y1 >= inner.y1


def _overlap(a: Area, b: Area) -> bool:
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1


def _slices(area: Area) -> tuple[slice, slice]:
    return slice(area.y0, area.y1), slice(area.x0, area.x1)
