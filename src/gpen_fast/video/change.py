"""A change of RGB pixels, written into a frame's own samples: what does not change stays to the bit.

Restored faces are known in RGB with 8 bits. Converting a whole frame to RGB and back would round every sample, drop
bits and blur chroma. So the difference of RGB is converted, scaled to the samples' depth and added to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.video.colour import Matrix, frame_matrix, is_full_range, is_grey, is_rgb
from gpen_fast.video.planes import Component, chroma_block, components

_Change = NDArray[np.float32]


class Area(NamedTuple):
    """A rectangle of pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    """First column."""
    y0: int
    """First row."""
    x1: int
    """Column after the last."""
    y1: int
    """Row after the last."""


def change_samples(
    frame: av.VideoFrame, before: NDArray[np.uint8], after: NDArray[np.uint8], areas: Iterable[Area]
) -> None:
    """Adds the change of RGB to a planar frame's samples.

    Args:
        frame: Has a plane for each component: see `planar`. It is made writable; its alpha stays.
        before: (H,W,3) RGB of the frame: see `to_rgb`.
        after: (H,W,3) RGB as it is to be.
        areas: Where they differ. Samples of pixels outside stay, as do samples whose change is below a half.
    """
    frame.make_writable()
    planes = components(frame)
    block = chroma_block(frame)
    grown = [_grown(area, block, frame.width, frame.height) for area in areas]
    # Areas may overlap: each is computed from the samples as they were.
    parts = [_Part(each, _originals(planes, each, block)) for each in grown if each is not None]
    for area, originals in parts:
        rows, columns = slice(area.y0, area.y1), slice(area.x0, area.x1)
        difference = cv2.subtract(after[rows, columns], before[rows, columns], dtype=cv2.CV_32F)
        change = np.asarray(difference, dtype=np.float32)
        if change.any():
            _add(frame, planes, originals, change, area, block)


class _Part(NamedTuple):
    area: Area
    originals: list[_Change]


def _originals(planes: list[Component], area: Area, block: tuple[int, int]) -> list[_Change]:
    """The samples in the area, of each component."""
    blocks = [(1, 1) if part.samples.shape == planes[0].samples.shape else block for part in planes]
    return [
        part.samples[_in_plane(area, each)].astype(np.float32)
        for part, each in zip(planes, blocks, strict=True)
    ]


def _add(
    frame: av.VideoFrame,
    planes: list[Component],
    originals: list[_Change],
    change: _Change,
    area: Area,
    block: tuple[int, int],
) -> None:
    full = is_full_range(frame)
    parts = _by_component(frame, change, block)
    for part, original, (added, is_chroma) in zip(planes, originals, parts, strict=True):
        here = _in_plane(area, block if is_chroma else (1, 1))
        made = np.rint(added * np.float32(_scale(part.bits, full=full, is_chroma=is_chroma)))
        made += original
        part.samples[here] = np.clip(made, 0, (1 << part.bits) - 1, out=made).astype(part.samples.dtype)


def _by_component(
    frame: av.VideoFrame, change: _Change, block: tuple[int, int]
) -> list[tuple[_Change, bool]]:
    """The change of each component on the scale of RGB, and whether it is chroma. RGB formats list red first."""
    if is_rgb(frame):
        return [(change[..., channel], False) for channel in range(3)]
    luma = luma_change(change, matrix := frame_matrix(frame))
    if is_grey(frame):
        return [(luma, False)]
    return [(luma, False), *((each, True) for each in chroma_change(_mean(change, block), matrix))]


def luma_change(change: _Change, matrix: Matrix) -> _Change:
    """(h,w): the change of luma, on the scale of the change of RGB."""
    return change @ np.array([matrix.kr, 1 - matrix.kr - matrix.kb, matrix.kb], np.float32)


def chroma_change(change: _Change, matrix: Matrix) -> tuple[_Change, _Change]:
    """(h,w) each: the changes of Cb and Cr, on the same scale."""
    luma = luma_change(change, matrix)
    return (change[..., 2] - luma) / (2 - 2 * matrix.kb), (change[..., 0] - luma) / (2 - 2 * matrix.kr)


def _scale(bits: int, *, full: bool, is_chroma: bool) -> float:
    """Steps of a sample for one step of RGB with 8 bits."""
    if full:
        return float((1 << bits) - 1) / 255
    return float((224 if is_chroma else 219) << (bits - 8)) / 255


def _mean(change: _Change, block: tuple[int, int]) -> _Change:
    """The mean over the pixels of each chroma sample; at an odd border the last row or column counts again."""
    across, down = block
    if block == (1, 1):
        return change
    height, width = change.shape[:2]
    padded = cv2.copyMakeBorder(change, 0, -height % down, 0, -width % across, cv2.BORDER_REPLICATE)
    size = padded.shape[1] // across, padded.shape[0] // down
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _grown(area: Area, block: tuple[int, int], width: int, height: int) -> Area | None:
    """The area within the picture, grown to whole samples of chroma; None where nothing of it lies within."""
    across, down = block
    x0, y0 = max(0, area.x0) // across * across, max(0, area.y0) // down * down
    x1, y1 = min(width, -(-area.x1 // across) * across), min(height, -(-area.y1 // down) * down)
    return Area(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _in_plane(area: Area, block: tuple[int, int]) -> tuple[slice, slice]:
    across, down = block
    return slice(area.y0 // down, -(-area.y1 // down)), slice(area.x0 // across, -(-area.x1 // across))
