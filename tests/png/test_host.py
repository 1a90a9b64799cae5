"""PNG by the host's own hands: as exact as on a device, at both levels."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import EXAMPLES, photo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from png_pictures import KINDS, PICTURES, TYPES, assert_exact, assert_valid, make

from gpen_fast.png import host
from gpen_fast.png.filter import filter_rows
from gpen_fast.png.host import encode_on_host


def array_of(pixels: torch.Tensor) -> np.ndarray:
    array = pixels.permute(1, 2, 0).contiguous().numpy()
    return array[:, :, 0] if array.shape[2] == 1 else array


@settings(max_examples=PICTURES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(KINDS),
    channels=st.integers(1, 4),
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    dtype=st.sampled_from(TYPES),
    level=st.sampled_from(["fast", "small"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_pictures(kind, channels, height, width, dtype, level, seed) -> None:
    pixels = make(kind, (channels, height, width), dtype, seed)
    data = encode_on_host(array_of(pixels), level=level)
    assert_exact(data, pixels, keep_rgb=True)
    assert_valid(data)


@pytest.mark.parametrize("level", ["fast", "small"])
@pytest.mark.parametrize("shape", [(3, 5000, 37), (3, 3, 50_021), (4, 300, 257)], ids=str)
def test_many_bands(shape: tuple[int, int, int], level: str) -> None:
    pixels = make("smooth", shape, torch.uint8)
    assert_exact(encode_on_host(array_of(pixels), level=level), pixels)


def test_where_a_band_ends_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    array = photo(90, 70)
    files = [encode_on_host(array, level=level) for level in ("fast", "small")]
    monkeypatch.setattr(host, "_BAND", 1)
    assert [encode_on_host(array, level=level) for level in ("fast", "small")] == files


def test_paeth_agrees_with_the_devices_for_all_bytes() -> None:
    """Every left, up and corner out of 0, 1, 5, 127, 128, 250, 254, 255: what differs is only how it is computed."""
    some = np.array([0, 1, 5, 127, 128, 250, 254, 255], np.uint8)
    left, up, corner = (grid.reshape(1, -1) for grid in np.meshgrid(some, some, some, indexing="ij"))
    framed = np.concatenate(
        [np.stack([corner, up], -1).reshape(1, -1), np.stack([left, 0 * up], -1).reshape(1, -1)]
    )
    found = host._paeth_rows(np.ascontiguousarray(framed), 1)[0, 1::2]
    estimate = left.astype(int) + up - corner
    nearest = np.stack([left, up, corner]).astype(int)
    wanted = np.take_along_axis(nearest, np.abs(nearest - estimate).argmin(0)[None], 0)[0, 0]
    assert np.array_equal(found, (-wanted % 256).astype(np.uint8))


@pytest.mark.parametrize("pixel_bytes", [1, 3, 8])
def test_rows_at_the_small_level_are_the_devices(pixel_bytes: int) -> None:
    rows = photo(20, 80).reshape(20, -1)
    rows[:4] = np.array([[9], [9], [0], [255]])  # rows that no filter, and Up, serve best
    (found,) = host._bands(rows, pixel_bytes, host._best_rows)
    assert np.array_equal(found, filter_rows(torch.from_numpy(rows)[None], pixel_bytes)[0].numpy())


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the system does not list threads there")
def test_small_level_runs_in_its_own_thread_only() -> None:
    """Threads that share a band wait for one another, which takes seconds of processor time on a busy machine."""
    code = """
import os, numpy, torch
from gpen_fast.png.host import encode_on_host
torch.set_num_threads(4)
before = len(os.listdir("/proc/self/task"))
encode_on_host(numpy.random.default_rng(0).integers(0, 9, (512, 512, 3), numpy.uint8), level="small")
print(len(os.listdir("/proc/self/task")) - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0


def test_sizes_on_a_photograph() -> None:
    array = np.asarray(Image.open(EXAMPLES / "astronaut.png").convert("RGB"))
    (_, by_libpng) = cv2.imencode(
        ".png", array, [cv2.IMWRITE_PNG_COMPRESSION, 6, cv2.IMWRITE_PNG_STRATEGY, 1]
    )
    assert len(encode_on_host(array)) <= 1.05 * len(by_libpng)
    assert len(encode_on_host(array, level="small")) <= len(by_libpng)


@pytest.mark.parametrize("kind", KINDS)
def test_small_is_never_the_larger(kind: str) -> None:
    array = array_of(make(kind, (3, 120, 130), torch.uint8))
    assert len(encode_on_host(array, level="small")) <= len(encode_on_host(array))


def test_array_that_may_not_be_written_to() -> None:
    array = np.asarray(Image.open(EXAMPLES / "astronaut.png").convert("RGB"))
    assert not array.flags.writeable
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_on_host(array)))), array)
