"""PSNR and SSIM agree with scikit-image's, and refuse pictures that cannot be compared."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gpen_fast.errors import PictureError
from gpen_fast.image.likeness import psnr, ssim
from gpen_fast.types import TOPS


def _pair(dtype: torch.dtype, channels: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth picture, and the same with noise in its left half and a shift of brightness."""
    rng, top = np.random.default_rng(3), TOPS[dtype]
    y, x = np.mgrid[0:60, 0:83] / 83
    smooth = np.stack([0.5 + 0.4 * np.sin(9 * x + k) * np.cos(7 * y) for k in range(channels)])
    noisy = smooth + 0.01 + 0.05 * rng.standard_normal(smooth.shape) * (x < 0.5)
    as_picture = [
        torch.from_numpy((np.clip(each, 0, 1) * top).round().astype(np.dtype(str(dtype).split(".")[1])))
        for each in (smooth, noisy)
    ]
    return as_picture[0], as_picture[1]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_both_figures_are_those_of_scikit_image(dtype: torch.dtype, channels: int) -> None:
    a, b = _pair(dtype, channels)
    expected = structural_similarity(
        a.numpy(), b.numpy(), channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        data_range=TOPS[dtype],
    )  # fmt: skip
    assert 0.3 < expected < 0.95
    assert ssim(a, b) == pytest.approx(expected, abs=1e-6)
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a.numpy(), b.numpy(), data_range=TOPS[dtype]))


def test_equal_pictures_are_one_and_infinitely_near() -> None:
    a, _ = _pair(torch.uint8)
    assert psnr(a, a.clone()) == math.inf
    assert ssim(a, a.clone()) == pytest.approx(1.0)


@pytest.mark.parametrize("figure", [psnr, ssim])
def test_pictures_of_two_sizes_or_depths_are_refused_with_both(figure: object) -> None:
    a, _ = _pair(torch.uint8)
    with pytest.raises(PictureError, match=r"\(3, 60, 83\).*\(3, 59, 83\).*one shape and dtype"):
        figure(a, a[:, 1:])  # type: ignore[operator]
    with pytest.raises(PictureError, match=r"uint8.*uint16"):
        figure(a, a.to(torch.uint16))  # type: ignore[operator]


def test_a_picture_smaller_than_the_window_has_no_ssim() -> None:
    small = torch.zeros(3, 10, 40, dtype=torch.uint8)
    with pytest.raises(PictureError, match="40 x 10 pixels is too small for SSIM: accepted is 11 x 11"):
        ssim(small, small)
