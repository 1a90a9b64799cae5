"""JPEG on the GPU: close to libjpeg, and on the host wherever nvJPEG cannot decode."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import photo
from PIL import Image

from gpen_fast.errors import DeviceError, PictureError
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import Settings
from gpen_fast.stages.load import load, nvjpeg

CPU = torch.device("cpu")


def saved(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", **options)
    return file.getvalue()


def pillows(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


KINDS = {
    "baseline": saved(photo(97, 123), quality=90),
    "full chroma": saved(photo(97, 123), subsampling=0),
    "progressive": saved(photo(97, 123), progressive=True),
    "grey": saved(photo(97, 123, channels=1)),
}


def test_gpu_decode_needs_a_gpu(tiny_weights: Path) -> None:
    with pytest.raises(DeviceError, match=r"--gpu-decode needs CUDA, and this runs on cpu\. Leave it out"):
        load_runtime(Settings.from_flat(weights=str(tiny_weights), device="cpu", gpu_decode=True))


def test_gpu_decode_on_a_cpu_is_libjpegs(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(KINDS["baseline"])
    got = load(tmp_path / "a.jpg", CPU, gpu_decode=True).pixels.permute(1, 2, 0).numpy()
    assert np.array_equal(got, pillows(KINDS["baseline"]))


@pytest.mark.cuda
@pytest.mark.parametrize("kind", ["baseline", "full chroma", "progressive", "grey"])
def test_nvjpeg_is_close_to_libjpeg(tmp_path: Path, kind: str) -> None:
    device = torch.device("cuda", 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(KINDS[kind])) as image:
        image.save(tmp_path / "a.jpg", exif=exif, quality="keep")
    on_gpu = load(tmp_path / "a.jpg", device, gpu_decode=True)
    assert on_gpu.pixels.is_cuda
    assert on_gpu.host is None
    wanted = load(tmp_path / "a.jpg", CPU).pixels
    assert on_gpu.pixels.shape == wanted.shape
    assert (on_gpu.pixels.cpu().int() - wanted.int()).abs().float().mean() < 2


@pytest.mark.cuda
def test_what_nvjpeg_declines_is_decoded_on_the_host(tmp_path: Path) -> None:
    device = torch.device("cuda", 0)
    with Image.open(io.BytesIO(KINDS["baseline"])) as image:
        image.convert("CMYK").save(tmp_path / "a.jpg")
    assert load(tmp_path / "a.jpg", device, gpu_decode=True).pixels.is_cuda
    (tmp_path / "b.jpg").write_bytes(KINDS["baseline"][:900])
    with pytest.raises(PictureError, match="damaged"):
        load(tmp_path / "b.jpg", device, gpu_decode=True)


@pytest.mark.parametrize(
    ("words", "is_raised"), [("CUDA error: device lost", True), ("nvjpegDecode failed: 4", False)]
)
def test_a_failed_gpu_is_not_taken_for_a_file_that_nvjpeg_declines(
    monkeypatch: pytest.MonkeyPatch, words: str, is_raised: bool
) -> None:
    def fails(*given: object, **options: object) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr("torchvision.io.decode_jpeg", fails)
    expected = pytest.raises(RuntimeError, match=words) if is_raised else contextlib.nullcontext()
    with expected:
        assert nvjpeg.decode_nvjpeg(KINDS["baseline"], 3, torch.device("cuda", 0)) is None
