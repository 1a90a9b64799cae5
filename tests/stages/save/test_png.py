"""PNG holds every sample exactly, on the device and on the host."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from helpers import photo
from saving import ICC, exif, frame_of, opened

from gpen_fast.stages.load import load
from gpen_fast.stages.save import png
from gpen_fast.stages.save.base import open_writer

CPU = torch.device("cpu")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_is_exact_in_eight_bits(channels: int) -> None:
    array = photo(channels=channels)
    data = open_writer("png").encode(frame_of(array), 95)
    assert np.array_equal(np.asarray(opened(data)), array)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_exact_in_sixteen_bits_with_its_metadata(channels: int) -> None:
    array = photo(channels=channels, dtype=np.uint16)
    data = open_writer("png").encode(frame_of(array, exif=exif(), icc=ICC if channels > 1 else None), 95)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    wanted = array if channels == 1 else array[..., [2, 1, 0, 3][:channels]]
    assert np.array_equal(read, wanted)
    assert opened(data).getexif()[0x010E] == "mother"
    assert opened(data).info.get("icc_profile") == (ICC if channels > 1 else None)


def test_sixteen_bit_grey_with_alpha() -> None:
    array = photo(channels=2, dtype=np.uint16)
    data = open_writer("png").encode(frame_of(array), 95)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read[..., 0], array[..., 0])
    assert np.array_equal(read[..., 3], array[..., 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_made_in_place_says_what_the_hosts_says(channels: int, dtype: type) -> None:
    """What CUDA runs, here on the CPU: only the compressed bytes may differ."""
    profile = ICC if channels > 2 else ICC[:16] + b"GRAY" + ICC[20:]
    frame = replace(
        frame_of(photo(channels=channels, dtype=dtype), exif=exif(), icc=profile), dpi=(300.0, 150.0)
    )
    by_host = open_writer("png").encode(frame, 95)
    carried = by_host[33 : by_host.index(b"IDAT") - 4]
    in_place = png.encode_in_place(frame, carried, keep_rgb=True)
    ours, theirs = (cv2.imdecode(np.frombuffer(data, np.uint8), -1) for data in (in_place, by_host))
    assert np.array_equal(ours, theirs)
    assert in_place[: len(carried) + 33] == by_host[: len(carried) + 33]
    assert opened(in_place).info["icc_profile"] == profile


def test_small_is_smaller_and_as_exact() -> None:
    array = photo(300, 400)
    fast, small = (open_writer("png").encode(frame_of(array), 95, level) for level in ("fast", "small"))
    assert len(small) < len(fast)
    assert np.array_equal(np.asarray(opened(small)), array)


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_pixels_on_cuda(channels: int, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = replace(load(photo(channels=channels, dtype=dtype), CPU), host=None)
    there = replace(
        frame, pixels=frame.pixels.cuda(), alpha=None if frame.alpha is None else frame.alpha.cuda()
    )
    monkeypatch.setattr(png, "encode_on_host", None)  # not taken
    data = [open_writer("png").encode(there, 95), png.encode_in_place(frame, b"", keep_rgb=False)]
    assert data[0] == data[1]


def test_what_does_not_fit_on_the_device_is_encoded_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> bytes:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(png, "encode_in_place", full)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    array = photo()
    assert np.array_equal(np.asarray(opened(open_writer("png").encode(frame_of(array), 95))), array)
