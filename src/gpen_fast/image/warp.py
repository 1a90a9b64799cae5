"""Affine warps of picture tensors: one signature, OpenCV on the CPU, plain torch operations elsewhere.

Coordinates: the centre of the first pixel is (0,0). Outside the picture its edge pixels repeat: upstream GPEN has black
there, which the network smears into the face and which leaves a dark line along the picture's border.
A warp that minifies samples a grid several times finer than the result and reduces it, so that nothing aliases.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.image.colour import to_depth
from gpen_fast.image.resize import shrink_by_area

Matrix = NDArray[np.float64]
# OpenCV warps between pictures of at most this many pixels a side (SHRT_MAX - 1).
MOST_SIDE = 32766
# Samples of the finer grid that are in memory at a time.
_MOST_SAMPLES = 64_000_000
Sample = np.uint8 | np.uint16 | np.float32

# A shrink by less than a tenth needs no finer grid: its aliasing is not visible.
_SLACK = 0.1
# Lobes of the Lanczos kernel on each side; its support is this many result pixels each way.
_LANCZOS_LOBES = 3


def scale_of(matrix: Matrix) -> float:
    """Result pixels that one source pixel becomes, along an axis, under a (2,3) similarity."""
    return math.hypot(matrix[0, 0], matrix[1, 0])


def inverse(matrix: Matrix) -> Matrix:
    """Inverts a (2,3) affine map: (2,3)."""
    return np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float64)


def finer_grid(matrix: Matrix) -> int:
    """Samples per result pixel and axis that `matrix` needs; 1 where it does not minify."""
    return max(1, math.ceil(1 / scale_of(matrix) - _SLACK))


def warp(pixels: Tensor, matrix: Matrix, size: tuple[int, int], *, edge: bool = True) -> Tensor:
    """Bilinear warp without antialiasing; `warp_area` and `warp_lanczos` have it.

    Args:
        pixels: (C,H,W) uint8, uint16 or float32, on any device.
        matrix: (2,3) map from source to result coordinates.
        size: Height and width of the result, pixels.
        edge: True repeats the edge pixels outside the source, False gives zeros there.

    Returns:
        (C,*size) of the dtype and on the device of `pixels`.
    """
    if pixels.device.type == "cpu":
        return _warp_cv2(pixels, matrix, size, edge=edge)
    return warp_torch(pixels, matrix, size, edge=edge)


def warp_area(pixels: Tensor, matrix: Matrix, size: tuple[int, int]) -> Tensor:
    """`warp` that averages over each result pixel's area where it minifies: the cheap one, for a network's input.

    Args:
        pixels: (C,H,W) uint8, uint16 or float32, on any device.
        matrix: (2,3) map from source to result coordinates.
        size: Height and width of the result, pixels.

    Returns:
        (C,*size) of the dtype and on the device of `pixels`.
    """
    fine = finer_grid(matrix)
    rows = max(1, _MOST_SAMPLES // (size[1] * fine**2))
    if fine > 1 and rows < size[0]:
        parts = [
            warp_area(pixels, _moved(matrix, 0, y), (min(rows, size[0] - y), size[1]))
            for y in range(0, size[0], rows)
        ]
        return torch.cat(parts, dim=1)
    warped = warp(pixels, refined(matrix, fine), (size[0] * fine, size[1] * fine))
    if fine == 1:
        return warped
    # Two ways to the mean of fine x fine samples: OpenCV needs no conversion to float, torch no copy to the host.
    if pixels.device.type == "cpu":
        return _as_tensor(shrink_by_area(_as_array(warped), size))
    return _cast(F.avg_pool2d(warped.float(), fine), pixels.dtype)


def warp_lanczos(pixels: Tensor, matrix: Matrix, size: tuple[int, int]) -> Tensor:
    """`warp` with a Lanczos low-pass where it minifies: keeps detail up to the result's resolution.

    Args:
        pixels: (C,H,W) uint8, uint16 or float32, on any device.
        matrix: (2,3) map from source to result coordinates.
        size: Height and width of the result, pixels.

    Returns:
        (C,*size) of the dtype and on the device of `pixels`.
    """
    fine = finer_grid(matrix)
    warped = warp(pixels, refined(matrix, fine), (size[0] * fine, size[1] * fine))
    return warped if fine == 1 else _cast(_reduce_lanczos(warped.float(), fine), pixels.dtype)


def refined(matrix: Matrix, fine: int) -> Matrix:
    """The same map onto a grid `fine` times as dense; each pixel's area stays in place."""
    dense = matrix * fine
    dense[:, 2] += (fine - 1) / 2
    return dense


def _moved(matrix: Matrix, x: int, y: int) -> Matrix:
    """The map to the part of the result that begins at column x, row y."""
    moved = matrix.copy()
    moved[:, 2] -= (x, y)
    return moved


def _warp_cv2(pixels: Tensor, matrix: Matrix, size: tuple[int, int], *, edge: bool) -> Tensor:
    """`warp` by OpenCV, which takes at most MOST_SIDE pixels a side: it gets only what the result shows, and where
    that or the result is larger, one half of the result at a time."""
    x0, y0, x1, y1 = _source_rect(inverse(matrix), size, pixels)
    if max(*size, x1 - x0, y1 - y0) > MOST_SIDE:
        axis = int(size[1] > size[0])
        half = -(-size[axis] // 2)
        sizes = [(half, size[1]), (size[0] - half, size[1])] if axis == 0 else [
            (size[0], half), (size[0], size[1] - half)]  # fmt: skip
        places = [(0, 0), (half, 0) if axis else (0, half)]
        halves = [
            _warp_cv2(pixels, _moved(matrix, *place), part, edge=edge)
            for place, part in zip(places, sizes, strict=True)
        ]
        return torch.cat(halves, dim=1 + axis)
    border = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ (x0, y0)])
    array = _as_array(pixels[:, y0:y1, x0:x1])
    warped = cv2.warpAffine(array, matrix, size[::-1], flags=cv2.INTER_LINEAR, borderMode=border)
    return _as_tensor(np.asarray(warped, dtype=array.dtype))


def warp_torch(pixels: Tensor, matrix: Matrix, size: tuple[int, int], *, edge: bool = True) -> Tensor:
    """`warp` in plain torch operations, on any device; same arguments and result."""
    back = inverse(matrix)
    x0, y0, x1, y1 = _source_rect(back, size, pixels)
    back[:, 2] -= (x0, y0)
    source = pixels[:, y0:y1, x0:x1].float()[None]
    outside = "border" if edge else "zeros"
    grid = _grid(back, size, source)
    return _cast(F.grid_sample(source, grid, padding_mode=outside, align_corners=False)[0], pixels.dtype)


def _source_rect(back: Matrix, size: tuple[int, int], pixels: Tensor) -> tuple[int, int, int, int]:
    """The part of the source that the result shows, x0, y0, x1, y1: at least one pixel."""
    height, width = pixels.shape[1:]
    corners = np.array([[x, y] for x in (0, size[1] - 1) for y in (0, size[0] - 1)], dtype=np.float64)
    seen = corners @ back[:, :2].T + back[:, 2]
    low = np.clip(np.floor(seen.min(axis=0)) - 1, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)) + 2, low + 1, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _grid(back: Matrix, size: tuple[int, int], source: Tensor) -> Tensor:
    """(1,*size,2) sampling positions for grid_sample: -1..1 between the outer edges of the (1,C,H,W) source."""
    to_unit = np.array([2 / source.shape[3], 2 / source.shape[2]])
    linear, shift = back[:, :2] * to_unit[:, None], (back[:, 2] + 0.5) * to_unit - 1
    rows = torch.arange(size[0], dtype=torch.float32, device=source.device)[:, None]
    columns = torch.arange(size[1], dtype=torch.float32, device=source.device)
    axes = [float(linear[i, 0]) * columns + (float(linear[i, 1]) * rows + float(shift[i])) for i in (0, 1)]
    return torch.stack(axes, dim=-1)[None]


def _reduce_lanczos(x: Tensor, fine: int) -> Tensor:
    """(C,fine*H,fine*W) float to (C,H,W): every `fine`-th output of a separable Lanczos filter."""
    columns = _reduce_rows(x, fine).transpose(1, 2)  # (C,fine*H,W) to (C,W,fine*H)
    return _reduce_rows(columns, fine).transpose(1, 2)  # (C,W,H) to (C,H,W)


def _reduce_rows(x: Tensor, fine: int) -> Tensor:
    """(C,H,fine*W) float to (C,H,W).

    The filter spans 7 whole groups of `fine` samples. So each group is multiplied by its share of the taps for all 7
    outputs that it counts in, in one small matrix product, and the products are added with a shift. Unfolding the
    samples instead would copy each of them 7 times.
    """
    span, pad, width = 2 * _LANCZOS_LOBES + 1, _LANCZOS_LOBES * fine, x.shape[2] // fine
    groups = F.pad(x, (pad, pad), mode="replicate").unflatten(2, (-1, fine))  # (C,H,W+6,fine)
    with arithmetic("fp32", x.device):  # the caller's autocast or TF32 would cost up to 1% of the range
        parts = groups @ _lanczos_taps(fine, x.device).view(span, fine).T  # (C,H,W+6,7)
    reduced = parts[:, :, :width, 0].clone()
    for shift in range(1, span):
        reduced += parts[:, :, shift : shift + width, shift]
    return reduced


@lru_cache(maxsize=64)
def _lanczos_taps(fine: int, device: torch.device) -> Tensor:
    """(7*fine,) float32 weights centred on a group of `fine` samples; zero beyond three result pixels."""
    count = (2 * _LANCZOS_LOBES + 1) * fine
    x = (np.arange(count) - (count - 1) / 2) / fine
    taps = np.sinc(x) * np.sinc(x / _LANCZOS_LOBES) * (np.abs(x) < _LANCZOS_LOBES)
    return torch.from_numpy((taps / taps.sum()).astype(np.float32)).to(device)


def _cast(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Float values as `dtype`, rounded and clamped where that is an integer."""
    return x.to(dtype) if dtype.is_floating_point else to_depth(x, dtype)


def _as_array(pixels: Tensor) -> NDArray[Sample]:
    """(C,H,W) as OpenCV's (H,W) or (H,W,C); a view where the channels are interleaved in memory already."""
    array: NDArray[Sample] = pixels.permute(1, 2, 0).contiguous().numpy()
    return array[:, :, 0] if array.shape[2] == 1 else array


def _as_tensor(array: NDArray[Sample]) -> Tensor:
    """OpenCV's (H,W) or (H,W,C) as a (C,H,W) view."""
    tensor = torch.from_numpy(array)
    return tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)
