"""Blur and resize of a batch, each picture by its own amount, as products with matrices.

Both are linear and separable, so a picture x becomes M x M'. A batch of pictures of different sizes lies on one canvas:
each picture in the upper left corner, and its last row and column repeated to the canvas's end. That is the border
rule of OpenCV's `resize` and of JPEG, so neither needs to know where a picture ends. Numbers agree with OpenCV's except
that nothing is rounded in between.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gpen_fast.training.degrade import AREA, LANCZOS, LINEAR

# Pixels beyond a border that a row of taps can reach.
_REACH = 4


def blur_matrices(sigmas: Tensor, side: int) -> Tensor:
    """Returns matrices of the Gaussian blur, with the taps and the mirrored border of OpenCV's `GaussianBlur`.

    Args:
        sigmas: (B,) float32 in pixels; 0 for no blur.
        side: Side of the pictures in pixels.

    Returns:
        (B,S,S) float32.
    """
    # OpenCV cuts the kernel of an 8-bit picture at an odd size of about 6 sigma + 1.
    radii = (torch.round(6 * sigmas + 1).long() | 1) // 2
    pad = min(int(radii.max()), side - 1) if len(radii) else 0
    i = torch.arange(side, device=sigmas.device)
    j = torch.arange(-pad, side + pad, device=sigmas.device)
    distance = (j - i[:, None]).abs()[None]
    sharp = sigmas.clamp_min(1e-3)[:, None, None]
    weights = torch.exp(-0.5 * (distance / sharp) ** 2) * (distance <= radii[:, None, None])
    weights = weights / weights.sum(2, keepdim=True)
    # Column -k counts for k, and column S-1+k for S-1-k.
    inner = weights[:, :, pad : pad + side].clone()
    if pad:
        inner[:, :, 1 : pad + 1] += weights[:, :, :pad].flip(2)
        inner[:, :, side - 1 - pad : side - 1] += weights[:, :, pad + side :].flip(2)
    return inner


def resize_matrices(before: Tensor, after: Tensor, kinds: Tensor, rows: int, columns: int) -> Tensor:
    """Returns matrices that resize as OpenCV does.

    Args:
        before: (B,) sides of the pictures in pixels.
        after: (B,) sides to resize them to. Rows beyond repeat the last one.
        kinds: (B,) OpenCV's interpolations: LINEAR, CUBIC, AREA or LANCZOS.
        rows: Side of the canvas of the results.
        columns: Side of the canvas of the pictures.

    Returns:
        (B,rows,columns) float32.
    """
    device = before.device
    scale = (before.float() / after.float())[:, None, None]
    i = torch.minimum(torch.arange(rows, device=device)[None], after[:, None] - 1)[:, :, None].float()
    j = torch.arange(-_REACH, columns + _REACH, device=device).float()[None, None]
    distance = (j - ((i + 0.5) * scale - 0.5)).abs()
    weights = _cubic(distance)
    for kind, taps in ((LINEAR, _linear), (LANCZOS, _lanczos)):
        chosen = kinds == kind
        if chosen.any():
            weights[chosen] = taps(distance[chosen])
    chosen = kinds == AREA
    if chosen.any():
        lower, upper = (i * scale)[chosen], ((i + 1) * scale)[chosen]
        weights[chosen] = (torch.minimum(j + 1, upper) - torch.maximum(j, lower)).clamp_min(0)
    weights = weights / weights.sum(2, keepdim=True)
    inner = weights[:, :, _REACH:-_REACH].clone()
    inner[:, :, 0] += weights[:, :, :_REACH].sum(2)
    inner[:, :, -1] += weights[:, :, -_REACH:].sum(2)
    return inner


def _cubic(d: Tensor) -> Tensor:
    """Taps at distance d of the cubic with a = -0.75."""
    a = -0.75
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return torch.where(d < 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def _linear(d: Tensor) -> Tensor:
    return (1 - d).clamp_min(0)


def _lanczos(d: Tensor) -> Tensor:
    """Taps of Lanczos's window over four pixels."""
    return torch.where(d < 4, torch.sinc(d) * torch.sinc(d / 4), torch.zeros_like(d))


def resampled(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Returns M x M', rounded to whole numbers in 0..255.

    Args:
        pictures: (B,3,C,C) float32 in 0..255.
        matrices: (B,R,C) float32.

    Returns:
        (B,3,R,R) float32.
    """
    left = matrices[:, None]
    return torch.matmul(torch.matmul(left, pictures), left.mT).round_().clamp_(0, 255)


def repeat_borders(pictures: Tensor, sides: Tensor) -> Tensor:
    """Repeats each picture's last row and column to the canvas's end.

    Args:
        pictures: (B,C,M,M).
        sides: (B,) sides of the pictures in pixels.
    """
    canvas = pictures.shape[-1]
    index = torch.minimum(torch.arange(canvas, device=pictures.device)[None], sides[:, None] - 1)
    rows = index[:, None, :, None].expand(-1, pictures.shape[1], -1, canvas)
    columns = index[:, None, None, :].expand(-1, pictures.shape[1], canvas, -1)
    return pictures.gather(2, rows).gather(3, columns)


def canvas_for(sides: list[int], most: int) -> int:
    """Returns the canvas's side for pictures of these sides: a multiple of JPEG's 16 pixels, at most `most`.

    Args:
        sides: Sides in pixels.
        most: The largest canvas, a multiple of 16.
    """
    return min(most, 16 * math.ceil(max(sides) / 16))
