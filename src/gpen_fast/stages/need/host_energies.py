"""The energies of a face's frequency bands on a CPU: the numbers of `figures`, in a third of the time.

A crop is so small that each call of torch costs more than its work. OpenCV takes all three planes in one call.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_Planes = NDArray[np.float32]

# From RGB to brightness, and red and blue less brightness (`image.colour.brightness`).
_TO_PLANES = np.array(
    [[0.299, 0.587, 0.114], [0.701, -0.587, -0.114], [-0.299, -0.587, 0.886]], dtype=np.float32
)
# A picture is halved no further than to this side, pixels: as `image.bands.halved` does.
_SMALLEST = 4


def host_energies(
    pixels: NDArray[np.float32], bands: int, colour_bands: int, cell: int, quiet: float
) -> NDArray[np.float32]:
    """Measures one picture.

    Args:
        pixels: (3,H,W) RGB on the scale of 8 bits, in order.
        bands: Bands of brightness, the finest first.
        colour_bands: Bands of colour, at most as many.
        cell: Energies are averaged over cells of so many pixels a side.
        quiet: The share of the cells that are as quiet as the second number of a band says, or quieter.

    Returns:
        (2*(bands+colour_bands),): of each band its mean energy and that of its quiet cells; first those of brightness.
        A band that the picture is too small for repeats the one before.
    """
    found: tuple[list[float], list[float]] = ([], [])
    interleaved = cv2.merge([np.ascontiguousarray(plane) for plane in pixels])
    fine: _Planes = np.asarray(cv2.transform(interleaved, _TO_PLANES), dtype=np.float32)
    for level in range(bands):
        height, width = fine.shape[0] // 2, fine.shape[1] // 2
        if min(height, width) < _SMALLEST:
            break
        if level == colour_bands:
            fine = np.ascontiguousarray(fine[..., :1])
        even = fine[: 2 * height, : 2 * width]
        coarse = _with_axis(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
        same = _with_axis(cv2.resize(coarse, fine.shape[1::-1], interpolation=cv2.INTER_LINEAR))
        cells = _cells(fine - same, cell)
        _add(found[0], cells[..., 0], quiet)
        if level < colour_bands:
            _add(found[1], cells[..., 1:].mean(axis=2), quiet)
        fine = coarse
    numbers = [
        (some or [0.0, 0.0]) + (some or [0.0, 0.0])[-2:] * (count - max(1, len(some) // 2))
        for some, count in zip(found, (bands, colour_bands), strict=True)
    ]
    return np.array(numbers[0] + numbers[1], dtype=np.float32)


def _cells(band: _Planes, cell: int) -> _Planes:
    """The mean energy of each cell; pixels beyond the last whole one do not count."""
    down, across = (min(cell, side) for side in band.shape[:2])
    size = band.shape[1] // across, band.shape[0] // down
    whole = band[: size[1] * down, : size[0] * across]
    return _with_axis(cv2.resize(cv2.multiply(whole, whole), size, interpolation=cv2.INTER_AREA))


def _with_axis(planes: cv2.typing.MatLike) -> _Planes:
    """OpenCV drops the last axis of (H,W,1)."""
    array = np.asarray(planes, dtype=np.float32)
    return array if array.ndim == 3 else array[..., None]


def _add(numbers: list[float], cells: _Planes, quiet: float) -> None:
    place = int(quiet * (cells.size - 1))
    numbers += [float(cells.mean()), float(np.partition(cells, place, axis=None)[place])]
