"""How alike two pictures are: PSNR and SSIM.

SSIM is that of Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004), with the
Gaussian window of the paper, each channel by itself. Its formula stands here because the library that has it,
scikit-image, is no dependency of a run; the tests compare the two.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.errors import PictureError
from gpen_fast.types import TOPS

# The published window: 11 x 11 pixels, a Gaussian of 1.5 pixels. Pixels whose window crosses the border do not count.
_WINDOW, _SIGMA = 11, 1.5
# The published constants, which keep the quotient stable where a window is of one colour.
_K1, _K2 = 0.01, 0.03


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio of two pictures.

    Args:
        a: (C,H,W) uint8 or uint16, in full range, on any device.
        b: A picture of the same shape and dtype.

    Returns:
        dB over all values; infinity for equal pictures.

    Raises:
        PictureError: The pictures differ in shape or dtype.
    """
    first, second = _compared(a, b)
    error = float(np.mean((first - second) ** 2))
    return 10 * math.log10(TOPS[a.dtype] ** 2 / error) if error else math.inf


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of two pictures.

    Args:
        a: (C,H,W) uint8 or uint16, in full range, on any device; at least 11 pixels wide and high.
        b: A picture of the same shape and dtype.

    Returns:
        The mean over the channels and over the pixels whose window lies inside: 1 for equal pictures.

    Raises:
        PictureError: The pictures differ in shape or dtype, or are smaller than the window.
    """
    if min(a.shape[-2:]) < _WINDOW:
        raise PictureError(
            f"a picture of {a.shape[-1]} x {a.shape[-2]} pixels is too small for SSIM: "
            f"accepted is {_WINDOW} x {_WINDOW} and up."
        )
    first, second = _compared(a, b)
    top = TOPS[a.dtype]
    return float(np.mean([_channel_ssim(x, y, top) for x, y in zip(first, second, strict=True)]))


def _compared(a: Tensor, b: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both pictures as float64 in host memory. PictureError where they cannot be compared."""
    if a.shape != b.shape or a.dtype != b.dtype:
        raise PictureError(
            f"pictures of shape {tuple(a.shape)}, {a.dtype}, and {tuple(b.shape)}, {b.dtype}, cannot be compared: "
            "accepted are two of one shape and dtype."
        )
    return a.cpu().numpy().astype(np.float64), b.cpu().numpy().astype(np.float64)


def _channel_ssim(x: NDArray[np.float64], y: NDArray[np.float64], top: int) -> float:
    """SSIM of one channel, (H,W), with values from 0 to `top`."""
    mean_x, mean_y = _windowed(x), _windowed(y)
    variance_x = _windowed(x * x) - mean_x**2
    variance_y = _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    c1, c2 = (_K1 * top) ** 2, (_K2 * top) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float(np.mean(luminance * structure))


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean in the window around each pixel, (H,W) to (H-10,W-10): those whose window lies inside."""
    blurred = np.asarray(cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _SIGMA), dtype=np.float64)
    edge = _WINDOW // 2
    return blurred[edge:-edge, edge:-edge]
