"""Warps: OpenCV and plain torch agree, and minifying does not alias."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from helpers import photo

from gpen_fast.image import warp as warps
from gpen_fast.image.warp import finer_grid, inverse, warp, warp_area, warp_lanczos, warp_torch


def similarity(scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


def tensor(dtype: type, channels: int = 3) -> torch.Tensor:
    array = photo(50, 70, channels, np.uint16 if dtype is np.uint16 else np.uint8)
    picture = torch.from_numpy(array.reshape(50, 70, channels)).permute(2, 0, 1)
    return picture.float() if dtype is np.float32 else picture


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("edge", [True, False])
@pytest.mark.parametrize(("scale", "degrees"), [(1.0, 0), (2.3, 25), (0.9, -160), (0.4, 10)])
def test_torch_warp_equals_opencv(
    dtype: type, channels: int, edge: bool, scale: float, degrees: float
) -> None:
    picture = tensor(dtype, channels)
    matrix = similarity(scale, degrees, (20.3, 5.7))
    fast = warp(picture, matrix, (48, 64), edge=edge)
    plain = warp_torch(picture, matrix, (48, 64), edge=edge)
    assert fast.dtype == plain.dtype == picture.dtype
    assert fast.shape == plain.shape == (channels, 48, 64)
    full = 65535 if dtype is np.uint16 else 255
    # OpenCV rounds positions to a 32nd of a pixel.
    assert (fast.double() - plain.double()).abs().mean() < 0.002 * full
    assert (fast.double() - plain.double()).abs().max() < 0.06 * full


@pytest.mark.parametrize("reduced", [warp_area, warp_lanczos])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_reduced_warps_agree_between_opencv_and_torch(
    reduced: object, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, matrix = tensor(dtype), similarity(0.3, 12, (3, 4))
    on_cpu = reduced(picture, matrix, (20, 20))
    monkeypatch.setattr(warps, "_warp_cv2", warp_torch)
    elsewhere = reduced(picture, matrix, (20, 20))
    assert (on_cpu.double() - elsewhere.double()).abs().max() <= 0.02 * (65535 if dtype is np.uint16 else 255)


def test_identity_and_whole_pixel_shifts_are_exact() -> None:
    picture = tensor(np.uint8)
    assert torch.equal(warp(picture, similarity(1, 0, (0, 0)), (50, 70)), picture)
    shifted = warp(picture, similarity(1, 0, (3, 2)), (50, 70))
    assert torch.equal(shifted[:, 2:, 3:], picture[:, :-2, :-3])
    assert torch.equal(shifted[:, 0], shifted[:, 2]), "the edge goes on outside"
    assert warp(picture, similarity(1, 0, (3, 2)), (50, 70), edge=False)[:, :2].max() == 0


def test_source_longer_than_opencv_takes() -> None:
    long = torch.zeros(1, 4, 40000, dtype=torch.uint8)
    long[:, :, 39000:] = 200
    assert warp(long, similarity(1, 0, (-38990, 0)), (4, 20))[0, 0].tolist() == [0] * 10 + [200] * 10


@pytest.mark.parametrize("place", [(-500, 10), (900, 10), (10, -500), (10, 900)])
@pytest.mark.parametrize("edge", [True, False])
def test_source_wholly_outside(place: tuple[float, float], edge: bool) -> None:
    picture, matrix = tensor(np.uint8), similarity(1.3, 20, place)
    assert torch.equal(
        warp_torch(picture, matrix, (20, 20), edge=edge), warp(picture, matrix, (20, 20), edge=edge)
    )


def test_lanczos_is_the_same_under_the_callers_autocast() -> None:
    picture, matrix = tensor(np.uint16), similarity(0.3, 12, (3, 4))
    wanted = warp_lanczos(picture, matrix, (20, 20))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(warp_lanczos(picture, matrix, (20, 20)).int(), wanted.int())


def test_inverse_undoes() -> None:
    matrix = similarity(1.7, 33, (12, -5))
    there_and_back = inverse(matrix)[:, :2] @ matrix[:, :2]
    assert np.allclose(there_and_back, np.eye(2))


@pytest.mark.parametrize(
    ("scale", "fine"), [(3.0, 1), (1.0, 1), (0.95, 1), (0.9, 2), (0.5, 2), (0.3, 4), (0.1, 10)]
)
def test_finer_grid(scale: float, fine: int) -> None:
    assert finer_grid(similarity(scale, 40, (0, 0))) == fine


@pytest.mark.parametrize("reduced", [warp_area, warp_lanczos])
@pytest.mark.parametrize("factor", [2, 3, 4, 5, 7])
def test_fine_stripes_become_their_mean(reduced: object, factor: int) -> None:
    """One-pixel stripes hold no detail that the smaller picture could show: anything but grey is aliasing."""
    stripes = torch.zeros(1, 40 * factor, 40 * factor, dtype=torch.uint8)
    stripes[:, :, ::2] = 255
    matrix = similarity(1 / factor, 0, ((1 / factor - 1) / 2,) * 2)
    small = reduced(stripes, matrix, (40, 40))[:, 8:-8, 8:-8].float()
    # A mean over an odd number of stripes leaves one stripe over; the low-pass leaves nearly nothing.
    left_over = 127.5 / factor * (factor % 2) if reduced is warp_area else 12
    assert small.std() <= left_over + 1
    assert abs(small.mean() - 127.5) < 6
    assert warp(stripes, matrix, (40, 40)).float().std() > 50 or factor % 2 == 0


@pytest.mark.parametrize("reduced", [warp_area, warp_lanczos])
@pytest.mark.parametrize("factor", [2, 3, 5])
def test_reduction_keeps_places(reduced: object, factor: int) -> None:
    """A dot stays where the matrix takes it."""
    picture = torch.zeros(1, 30 * factor, 30 * factor, dtype=torch.float32)
    picture[:, 12 * factor : 13 * factor, 17 * factor : 18 * factor] = 100
    matrix = similarity(1 / factor, 0, ((1 / factor - 1) / 2,) * 2)
    small = reduced(picture, matrix, (30, 30))[0]
    assert np.unravel_index(int(small.argmax()), small.shape) == (12, 17)
    rows, columns = torch.meshgrid(torch.arange(30.0), torch.arange(30.0), indexing="ij")
    assert abs((small * rows).sum() / small.sum() - 12) < 0.02
    assert abs((small * columns).sum() / small.sum() - 17) < 0.02


@pytest.mark.parametrize("edge", [True, False])
@pytest.mark.parametrize(
    ("shape", "scale", "degrees", "shift", "size"),
    [
        ((12, 40000), 1.0, 0, (0.3, 1.2), (14, 40010)),  # both too wide
        ((40000, 12), 1.0, 0, (1.2, 0.3), (40010, 14)),  # both too high
        ((10, 70000), 0.01, 0, (0.5, 1.0), (3, 700)),  # all of a huge picture in a small result
        ((30, 40), 1000.0, 0, (-20.0, 30.0), (3, 40000)),  # a small picture in a huge result
        ((40, 33000), 1.0, 90, (40.0, 0.0), (33000, 40)),  # turned
    ],
)
def test_opencvs_limit_is_no_limit(
    edge: bool,
    shape: tuple[int, int],
    scale: float,
    degrees: float,
    shift: tuple[float, float],
    size: tuple[int, int],
) -> None:
    rng = np.random.default_rng(3)
    picture = torch.from_numpy(rng.integers(0, 255, (1, *shape), dtype=np.uint8))
    # Smooth along the picture, so that rounded positions cost little.
    picture = torch.from_numpy(
        np.cumsum(rng.integers(-2, 3, (1, *shape)), axis=1 + int(shape[1] > shape[0])) % 200
    )
    picture = picture.clamp(20, 180).to(torch.uint8)
    matrix = similarity(scale, degrees, shift)
    got, plain = warp(picture, matrix, size, edge=edge), warp_torch(picture, matrix, size, edge=edge)
    assert got.shape == (1, *size)
    different = (got.int() - plain.int()).abs() > 8
    assert different.float().mean() < 0.02


def test_halves_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, matrix = tensor(np.uint8), similarity(1.3, 20, (5.3, 5.7))
    whole = warp(picture, matrix, (90, 110))
    monkeypatch.setattr(warps, "MOST_SIDE", 40)
    assert (warp(picture, matrix, (90, 110)).int() - whole.int()).abs().max() <= 3


def test_a_large_face_is_averaged_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, matrix = tensor(np.uint8), similarity(0.15, 20, (3.3, 1.7))
    whole = warp_area(picture, matrix, (8, 9))
    sizes = []
    monkeypatch.setattr(warps, "_MOST_SAMPLES", 8 * 9 * 10)
    monkeypatch.setattr(warps, "warp", lambda *given: sizes.append(given[2]) or warp(*given))
    parts = warp_area(picture, matrix, (8, 9))
    assert parts.shape == whole.shape
    assert (parts.int() - whole.int()).abs().max() <= 2
    assert len(sizes) == 8
