"""Affine warps of picture tensors: one signature, OpenCV on the CPU, plain torch operations elsewhere.

Coordinates: the centre of the first pixel is (0,0). Outside the picture its edge goes on: upstream GPEN has
black there, which the network smears into the face and which leaves a dark line along the picture's border.
Minifying samples a grid several times finer than the result and reduces it, so that nothing aliases.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.image.colour import to_depth

Matrix = NDArray[np.float64]

# A shrink of under a tenth is not worth a finer grid.
_SLACK = 0.1
_LANCZOS_LOBES = 3


def scale_of(matrix: Matrix) -> float:
    """How many result pixels one source pixel becomes under a (2,3) similarity."""
    return math.hypot(matrix[0, 0], matrix[1, 0])


def inverse(matrix: Matrix) -> Matrix:
    """The (2,3) affine map that undoes `matrix`."""
    return np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float64)


def finer_grid(matrix: Matrix) -> int:
    """Samples per result pixel and axis that `matrix` needs, 1 where it does not minify."""
    return max(1, math.ceil(1 / scale_of(matrix) - _SLACK))


def warp(pixels: Tensor, matrix: Matrix, size: tuple[int, int], *, edge: bool = True) -> Tensor:
    """Bilinear warp by a (2,3) source-to-result map: (C,H,W) to (C,*size), same dtype.

    Takes uint8, uint16 and float32. edge: repeat the edge outside the source, else zeros. No antialiasing: see
    `warp_area` and `warp_lanczos`.
    """
    if pixels.device.type == "cpu":
        return _warp_cv2(pixels, matrix, size, edge=edge)
    return warp_torch(pixels, matrix, size, edge=edge)


def warp_area(pixels: Tensor, matrix: Matrix, size: tuple[int, int]) -> Tensor:
    """`warp`, each result pixel the mean over its area where it minifies: cheap, for what a network sees."""
    fine = finer_grid(matrix)
    warped = warp(pixels, refined(matrix, fine), (size[0] * fine, size[1] * fine))
    if fine == 1:
        return warped
    if pixels.device.type == "cpu":
        return _as_tensor(cv2.resize(_as_array(warped), size[::-1], interpolation=cv2.INTER_AREA))
    return _cast(F.avg_pool2d(warped.float(), fine), pixels.dtype)


def warp_lanczos(pixels: Tensor, matrix: Matrix, size: tuple[int, int]) -> Tensor:
    """`warp` with a Lanczos low-pass where it minifies: keeps detail up to the result's resolution."""
    fine = finer_grid(matrix)
    warped = warp(pixels, refined(matrix, fine), (size[0] * fine, size[1] * fine))
    return warped if fine == 1 else _cast(_reduce_lanczos(warped.float(), fine), pixels.dtype)


def refined(matrix: Matrix, fine: int) -> Matrix:
    """The same map onto a grid `fine` times as dense, pixel areas kept in place."""
    dense = matrix * fine
    dense[:, 2] += (fine - 1) / 2
    return dense


def _warp_cv2(pixels: Tensor, matrix: Matrix, size: tuple[int, int], *, edge: bool) -> Tensor:
    """`warp` by OpenCV, which takes no source of over 32766 pixels a side: only what the result sees is given."""
    border = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
    x0, y0, x1, y1 = _source_rect(inverse(matrix), size, pixels)
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ (x0, y0)])
    array = _as_array(pixels[:, y0:y1, x0:x1])
    return _as_tensor(cv2.warpAffine(array, matrix, size[::-1], flags=cv2.INTER_LINEAR, borderMode=border))


def warp_torch(pixels: Tensor, matrix: Matrix, size: tuple[int, int], *, edge: bool = True) -> Tensor:
    """`warp` in plain torch operations, on any device."""
    back = inverse(matrix)
    x0, y0, x1, y1 = _source_rect(back, size, pixels)
    back[:, 2] -= (x0, y0)
    source = pixels[:, y0:y1, x0:x1].float()[None]
    outside = "border" if edge else "zeros"
    grid = _grid(back, size, source)
    return _cast(F.grid_sample(source, grid, padding_mode=outside, align_corners=False)[0], pixels.dtype)


def _source_rect(back: Matrix, size: tuple[int, int], pixels: Tensor) -> tuple[int, int, int, int]:
    """The part of the source that the result can see, x0, y0, x1, y1: at least one pixel."""
    height, width = pixels.shape[1:]
    corners = np.array([[x, y] for x in (0, size[1] - 1) for y in (0, size[0] - 1)], dtype=np.float64)
    seen = corners @ back[:, :2].T + back[:, 2]
    low = np.clip(np.floor(seen.min(axis=0)) - 1, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)) + 2, low + 1, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _grid(back: Matrix, size: tuple[int, int], source: Tensor) -> Tensor:
    """(1,*size,2) sampling positions as grid_sample wants them: -1..1 between the source's outer edges."""
    to_unit = np.array([2 / source.shape[3], 2 / source.shape[2]])
    linear, shift = back[:, :2] * to_unit[:, None], (back[:, 2] + 0.5) * to_unit - 1
    rows = torch.arange(size[0], dtype=torch.float32, device=source.device)[:, None]
    columns = torch.arange(size[1], dtype=torch.float32, device=source.device)
    axes = [float(linear[i, 0]) * columns + (float(linear[i, 1]) * rows + float(shift[i])) for i in (0, 1)]
    return torch.stack(axes, dim=-1)[None]


def _reduce_lanczos(x: Tensor, fine: int) -> Tensor:
    """(C,fine*H,fine*W) float to (C,H,W): every `fine`-th output of a separable Lanczos FIR."""
    columns = _reduce_rows(x, fine).transpose(1, 2)
    return _reduce_rows(columns, fine).transpose(1, 2)


def _reduce_rows(x: Tensor, fine: int) -> Tensor:
    """(C,H,fine*W) float to (C,H,W).

    The FIR spans whole groups of `fine` samples, so it is one small matrix product over the groups, whose
    columns are then added with a shift: no sample is copied for each output that it counts in.
    """
    span, pad, width = 2 * _LANCZOS_LOBES + 1, _LANCZOS_LOBES * fine, x.shape[2] // fine
    groups = F.pad(x, (pad, pad), mode="replicate").unflatten(2, (-1, fine))
    with arithmetic("fp32", x.device):  # a caller's autocast or TF32 would cost up to 1% of the range
        parts = groups @ _lanczos_taps(fine, x.device).view(span, fine).T
    reduced = parts[:, :, :width, 0].clone()
    for shift in range(1, span):
        reduced += parts[:, :, shift : shift + width, shift]
    return reduced


@lru_cache(maxsize=64)
def _lanczos_taps(fine: int, device: torch.device) -> Tensor:
    """(7*fine,) weights centred over a group of `fine` samples; zero beyond three result pixels."""
    count = (2 * _LANCZOS_LOBES + 1) * fine
    x = (np.arange(count) - (count - 1) / 2) / fine
    taps = np.sinc(x) * np.sinc(x / _LANCZOS_LOBES) * (np.abs(x) < _LANCZOS_LOBES)
    return torch.from_numpy((taps / taps.sum()).astype(np.float32)).to(device)


def _cast(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x.to(dtype) if dtype.is_floating_point else to_depth(x, dtype)


def _as_array(pixels: Tensor) -> NDArray[Any]:
    """(C,H,W) as OpenCV's (H,W) or (H,W,C); free of copies where the memory is laid out so."""
    array: NDArray[Any] = pixels.permute(1, 2, 0).contiguous().numpy()
    return array[:, :, 0] if array.shape[2] == 1 else array


def _as_tensor(array: NDArray[Any]) -> Tensor:
    """OpenCV's (H,W) or (H,W,C) as a (C,H,W) view."""
    tensor = torch.from_numpy(array)
    return tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)
