"""Paste: restored faces back into their picture, inside each face's rectangle only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.colour import luma, to_depth
from gpen_fast.image.warp import inverse, warp, warp_lanczos
from gpen_fast.types import Face, Frame

# Upstream's mask for a crop of 512 pixels (yangxy/GPEN, face_enhancement.py): zero in the outer 26, then blurred twice
# with this sigma. Other sizes scale it.
_MASK_SIZE, _MASK_MARGIN, _MASK_SIGMA = 512, 26, 4.0
# Upstream smooths a face whose box has a shorter side under 100 pixels by the 3x3 binomial kernel before shrinking it.
_SMALL_FACE = 100
# Weight of a face where several overlap: 1 minus the distance from the crop's middle, to the eighth power. So each face
# keeps its own pixels and the transition between two is soft. Distances are divided by a little more than sqrt(2), that
# of the corners, so that corners keep a weight above zero where no other face reaches them.
_STEEPNESS, _FARTHEST = 8, 1.4143
# Divisor where every weight is zero; the mask is zero there too.
_LEAST_WEIGHT = 1e-30


class Rect(NamedTuple):
    """A rectangle of pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    """First column."""
    y0: int
    """First row."""
    x1: int
    """Column after the last."""
    y1: int
    """Row after the last."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def empty(self) -> bool:
        """Whether the rectangle holds no pixel."""
        return self.x1 <= self.x0 or self.y1 <= self.y0

    def within(self, outer: Rect) -> tuple[slice, slice]:
        """Row and column slices of this rectangle in an array that covers `outer`."""
        return slice(self.y0 - outer.y0, self.y1 - outer.y0), slice(self.x0 - outer.x0, self.x1 - outer.x0)

    def common(self, other: Rect) -> Rect:
        """The overlap of both rectangles; `empty` where there is none."""
        return Rect(
            max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1)
        )


class Patch(NamedTuple):
    """A restored face in the picture's coordinates."""

    rect: Rect
    """The h x w pixels of the picture that the face covers."""
    pixels: Tensor
    """(C,h,w) float32 on the scale of the picture's depth."""
    mask: Tensor
    """(1,h,w) float32 in 0..1: how much of the picture it replaces."""
    weight: Tensor
    """(1,h,w) float32 in 0..1: its share where other faces cover the same pixels; the mask where it is alone."""
    before: Tensor
    """(C,h,w) float32: the picture there."""


def paste(
    frame: Frame,
    faces: Sequence[Face],
    matrices: NDArray[np.float64],
    restored: Sequence[Tensor],
    strength: float = 1.0,
    shares: Tensor | None = None,
    fades: Sequence[float] | None = None,
) -> Frame:
    """Blends restored faces into their picture.

    Where faces overlap, the larger mask value counts, as upstream, and the faces fade into each other by the distance
    from each crop's middle. Upstream switches from one to the other there, which leaves a seam through the
    neighbour's head.

    Args:
        frame: The picture.
        faces: The B faces as detected.
        matrices: (B,2,3) float64, picture to crop coordinates.
        restored: (3,S,S) each, on the frame's device, in its depth; with `shares` (1|3,S,S) float32 on the scale of
            its depth.
        strength: Share of the restoration, 0..1.
        shares: (B,) float32: how much of the picture's own pixels is added to each of `restored`; None adds none.
        fades: B shares of `strength`, 0..1, one for each face; None: all of it.

    Returns:
        The frame with new pixels. Every pixel outside the faces, alpha and metadata are unchanged.
    """
    own = [None] * len(faces) if shares is None else shares
    placed = zip(faces, matrices, restored, own, fades or [1.0] * len(faces), strict=True)
    alone = len(faces) == 1
    patches = [patch for face in placed if (patch := _patch(frame, *face, alone=alone)) is not None]
    if not patches:
        return frame
    canvas = frame.writable()
    for patch in patches:
        _blend(canvas, patch, [other for other in patches if other is not patch], strength)
    return replace(frame, pixels=canvas, host=None)


def _patch(
    frame: Frame,
    face: Face,
    matrix: NDArray[np.float64],
    restored: Tensor,
    share: Tensor | None,
    fade: float,
    *,
    alone: bool,
) -> Patch | None:
    """The face warped back over the rectangle that it covers; None where that lies outside the picture."""
    size = restored.shape[-1]
    back = inverse(matrix)
    rect = _covered(back, size).common(Rect(0, 0, frame.width, frame.height))
    if rect.empty:
        return None
    if is_smoothed(face):
        restored = smooth(restored)
    if frame.pixels.shape[0] < restored.shape[0]:
        restored = luma(restored)
    back[:, 2] -= (rect.x0, rect.y0)
    before = frame.pixels[:, rect.y0 : rect.y1, rect.x0 : rect.x1].float()
    # The weight of a face that no other meets has no part in the result.
    wanted = _mask_and_nearness(size, restored.device)[: 1 if alone else 2]
    mask, *nearness = warp(wanted, back, rect.size, edge=False).split(1)
    if fade != 1:
        mask = mask * fade
    pixels = warp_lanczos(restored, back, rect.size).float()
    if share is not None:
        pixels = pixels + share * before
    return Patch(rect, pixels, mask, mask * nearness[0] if nearness else mask, before)


def _covered(back: NDArray[np.float64], size: int) -> Rect:
    """The rectangle around the crop's corners and one pixel more on each side, for the interpolation."""
    corners = np.array([[0, 0], [size - 1, 0], [0, size - 1], [size - 1, size - 1]], dtype=np.float64)
    placed = corners @ back[:, :2].T + back[:, 2]
    low, high = np.floor(placed.min(axis=0)).astype(int), np.ceil(placed.max(axis=0)).astype(int)
    return Rect(int(low[0]) - 1, int(low[1]) - 1, int(high[0]) + 2, int(high[1]) + 2)


def _blend(canvas: Tensor, patch: Patch, others: Sequence[Patch], strength: float) -> None:
    """Writes the patch's rectangle into the canvas, mixed with the other faces that overlap it."""
    rows, columns = slice(patch.rect.y0, patch.rect.y1), slice(patch.rect.x0, patch.rect.x1)
    pixels, mask = _mixed(patch, [other for other in others if not patch.rect.common(other.rect).empty])
    canvas[:, rows, columns] = _mix(patch.before, pixels, mask * strength, canvas.dtype)


def _mix(before: Tensor, pixels: Tensor, mask: Tensor, dtype: torch.dtype) -> Tensor:
    """`before` moved towards `pixels` by the (1,h,w) mask, as whole samples."""
    if dtype != torch.uint8 or before.device.type != "cpu":
        return to_depth(before + (pixels - before) * mask, dtype)
    # The same to the bit in a third of the time: OpenCV keeps the order of memory, and rounds as it adds.
    was, made = (each.permute(1, 2, 0).contiguous().numpy() for each in (before, pixels))
    weights = cv2.merge([mask[0].contiguous().numpy()] * was.shape[2])
    change = cv2.subtract(made, was)
    cv2.multiply(change, weights.reshape(change.shape), dst=change)
    mixed = cv2.add(change, was.reshape(change.shape), dtype=cv2.CV_8U)
    return torch.from_numpy(mixed.reshape(was.shape)).permute(2, 0, 1)


def _mixed(patch: Patch, others: Sequence[Patch]) -> tuple[Tensor, Tensor]:
    """Pixels and mask over the patch's rectangle: the weighted mean of all faces, the largest mask."""
    if not others:
        return patch.pixels, patch.mask
    pixels, weight, mask = patch.pixels * patch.weight, patch.weight.clone(), patch.mask.clone()
    for other in others:
        shared = patch.rect.common(other.rect)
        here = (slice(None), *shared.within(patch.rect))
        there = (slice(None), *shared.within(other.rect))
        pixels[here] += other.pixels[there] * other.weight[there]
        weight[here] += other.weight[there]
        mask[here] = torch.maximum(mask[here], other.mask[there])
    return pixels / weight.clamp_min(_LEAST_WEIGHT), mask


@lru_cache(maxsize=8)
def _mask_and_nearness(size: int, device: torch.device) -> Tensor:
    """(2,size,size) float32 in 0..1: the feathered mask, and the weight that falls steeply from the crop's middle."""
    side = (torch.arange(size) + 0.5) / size * 2 - 1
    distance = torch.hypot(side[:, None], side[None]) / _FARTHEST
    return torch.cat([feathered_mask(size), ((1 - distance) ** _STEEPNESS)[None]]).to(device)


def feathered_mask(size: int) -> Tensor:
    """The paste mask, (1,size,size) float32 in 0..1: ones with a soft border, at 512 pixels the same as upstream's."""
    margin = max(1, round(_MASK_MARGIN * size / _MASK_SIZE))
    mask = np.zeros((size, size), dtype=np.float32)
    mask[margin:-margin, margin:-margin] = 1
    sigma = _MASK_SIGMA * size / _MASK_SIZE
    for _ in range(2):
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma))
    return torch.from_numpy(mask)[None]


def is_smoothed(face: Face) -> bool:
    """Whether the restoration of a face is smoothed before it is pasted: small ones are."""
    return face.short_side < _SMALL_FACE


def smooth(face: Tensor) -> Tensor:
    """Smooths (3,S,S) with the 3x3 binomial kernel; the border is reflected, as OpenCV does by default."""
    x = F.pad(face.float()[None], (1, 1, 1, 1), mode="reflect")[0]
    x = (x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]) / 4
    x = (x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]) / 4
    return x if face.is_floating_point() else to_depth(x, face.dtype)
