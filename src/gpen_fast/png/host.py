"""PNG on the host: Paeth's filter and zlib-ng.

Measured on photographs of 512x512 against libpng at level 6 (torchvision): `fast` takes a tenth of its time and makes
1.03 of its size; `small` takes 0.5 to 1.5 of its time and makes 0.99 of its size, on smooth faces 0.97. `small` is
never the larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from gpen_fast.png import chunks
from gpen_fast.png.filter import bits_of_residuals
from gpen_fast.settings import FAST

Bytes = NDArray[np.uint8]

# Estimated bits of each residual.
_BITS = np.array(bits_of_residuals(), np.uint8)
# Number of Paeth's filter (PNG, third edition, 9.2).
_PAETH = 4
# Bytes of the rows that are filtered together: they stay in a core's cache from one step to the next.
_BAND = 1 << 17
# zlib's window of 32 KiB and its most memory.
_WINDOW_BITS, _MEMORY = 15, 9
# zlib-ng's level for the search. Level 9 takes twice the time, on smooth faces more than twice libpng's, and saves 0 to
# 0.4 % of a photograph (benchmarks/png_cpu.py).
_MOST_EFFORT = 8


def encode_on_host(array: NDArray[np.uint8 | np.uint16], carried: bytes = b"", level: str = FAST) -> bytes:
    """Encodes an array as a PNG file, the same bytes with every copy of one version of zlib-ng.

    Args:
        array: (H,W) or (H,W,1|2|3|4) uint8 or uint16, not empty; grey or RGB, alpha last.
        carried: Whole chunks to write between IHDR and the pixels.
        level: `fast` or `small`.

    Returns:
        The whole file.
    """
    height, width = array.shape[:2]
    channels = array.shape[2] if array.ndim == 3 else 1
    samples = np.ascontiguousarray(array, array.dtype.newbyteorder(">"))
    rows = samples.view(np.uint8).reshape(height, -1)
    data = _compressed(rows, channels * array.itemsize, level)
    start = chunks.header(width, height, channels, 8 * array.itemsize) + carried
    return b"".join((start, chunks.chunk(b"IDAT", data), chunks.END))


def _compressed(rows: Bytes, pixel_bytes: int, level: str) -> bytes:
    """The zlib stream of (H,R) scanlines."""
    paeth = _by_runs(_bands(rows, pixel_bytes, _paeth_rows))
    if level == FAST:
        return paeth
    # A search for matches finds what photographs repeat. On smooth faces the matches cost more than they save, so runs
    # alone are tried too.
    best = [*_bands(rows, pixel_bytes, _best_rows)]
    return min(paeth, _by_runs(best), _packed(best, _MOST_EFFORT, zlib_ng.Z_FILTERED), key=len)


def _by_runs(filtered: Iterable[Bytes]) -> bytes:
    """Runs and a Huffman code only: the search for matches, which takes most of zlib's time, is left out."""
    return _packed(filtered, 1, zlib_ng.Z_RLE)


def _packed(filtered: Iterable[Bytes], effort: int, strategy: int) -> bytes:
    """The bands as one zlib stream."""
    packer = zlib_ng.compressobj(effort, zlib_ng.DEFLATED, _WINDOW_BITS, _MEMORY, strategy)
    return b"".join([*(packer.compress(band) for band in filtered), packer.flush()])


def _bands(rows: Bytes, pixel_bytes: int, apply: Callable[[Bytes, int], Bytes]) -> Iterator[Bytes]:
    """The filtered scanlines, one band after the other.

    apply: filters a (1+h,pixel_bytes+R) band, framed by the row before it and by zeros on its left, to (h,1+R).
    """
    height, length = rows.shape
    step = max(1, _BAND // length)
    for first in range(0, height, step):
        band = rows[first : first + step]
        framed = np.zeros((len(band) + 1, length + pixel_bytes), np.uint8)
        framed[1:, pixel_bytes:] = band
        if first:
            framed[0, pixel_bytes:] = rows[first - 1]
        yield apply(framed, pixel_bytes)


def _paeth_rows(framed: Bytes, pixel_bytes: int) -> Bytes:
    """Every row by Paeth's filter: `apply` of `_bands`."""
    rows, *neighbours = _parts(framed, pixel_bytes)
    filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = _PAETH
    np.subtract(rows, _paeth(*neighbours), out=filtered[:, 1:])
    return filtered


def _parts(framed: Bytes, pixel_bytes: int) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """The rows, and for each byte the one a pixel to the left, the one above, and the one above that left one."""
    return (
        framed[1:, pixel_bytes:],
        framed[1:, :-pixel_bytes],
        framed[:-1, pixel_bytes:],
        framed[:-1, :-pixel_bytes],
    )


def _paeth(left: Bytes, up: Bytes, corner: Bytes) -> Bytes:
    """Paeth's predictor (PNG, third edition, 9.4) in bytes only, so that one instruction takes 16 or 32 of them.

    The distance to the corner, |left + up - 2 corner|, is the sum of the other two distances where the corner lies
    outside left and up, and their difference where it lies between.
    """
    to_left, to_up = cv2.absdiff(up, corner), cv2.absdiff(left, corner)
    to_corner = cv2.add(to_left, to_up)  # saturates at 255, which changes no comparison below
    above, below = (
        cv2.compare(corner, cv2.min(left, up), cv2.CMP_GT),
        cv2.compare(corner, cv2.max(left, up), cv2.CMP_LT),
    )
    cv2.copyTo(cv2.absdiff(to_left, to_up), cv2.bitwise_and(above, below), to_corner)
    nearest = np.ascontiguousarray(corner)
    cv2.copyTo(up, cv2.compare(to_up, to_corner, cv2.CMP_LE), nearest)
    cv2.copyTo(left, cv2.compare(to_left, cv2.min(to_up, to_corner), cv2.CMP_LE), nearest)
    return nearest


def _best_rows(framed: Bytes, pixel_bytes: int) -> Bytes:
    """Each row by the filter of fewest bits, as `filter_rows` chooses it on a device: `apply` of `_bands`.

    NumPy and OpenCV compute a band in this thread. torch's operations would divide each among all cores, and the
    threads that wait for one another take whole seconds of processor time where other processes run.
    """
    rows, left, up, corner = _parts(framed, pixel_bytes)
    best = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    best[:, 0], best[:, 1:] = 0, rows
    least = _cost(rows)
    residuals = (
        rows - left,
        rows - up,
        rows - ((left & up) + ((left ^ up) >> 1)),  # their mean without the ninth bit of the sum
        rows - _paeth(left, up, corner),
    )
    for number, residual in enumerate(residuals, start=1):
        cost = _cost(residual)
        better = cost < least
        best[better, 0], best[better, 1:] = number, residual[better]
        least = np.minimum(least, cost)
    return best


def _cost(residual: Bytes) -> NDArray[np.int32]:
    """Estimated bits of each row's residuals, (h,R) to (h,)."""
    return cv2.LUT(residual, _BITS).sum(axis=1, dtype=np.int32)
