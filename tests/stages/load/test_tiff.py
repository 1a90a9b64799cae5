"""Rare TIFFs are read as tifffile wrote them; what cannot be read is refused by name."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from helpers import photo
from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import load, tiff
from gpen_fast.types import Frame

CPU = torch.device("cpu")


def written(path: Path, array: np.ndarray, **options: object) -> Frame:
    grey = array.ndim == 2
    options.setdefault("photometric", "minisblack" if grey else "rgb")
    tifffile.imwrite(path, array, **options)
    return load(path, CPU)


def pixels(frame: Frame) -> np.ndarray:
    colour = frame.pixels.expand(frame.channels, -1, -1)
    parts = colour if frame.alpha is None else torch.cat([colour, frame.alpha])
    return parts.permute(1, 2, 0).numpy().squeeze()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_bigtiff(tmp_path: Path, dtype: type, order: str, channels: int) -> None:
    array = photo(channels=channels, dtype=dtype)
    extra = ["unassalpha"] if channels == 4 else None
    frame = written(
        tmp_path / "a.tif", array, bigtiff=True, byteorder=order, extrasamples=extra, description="mother",
        metadata=None, resolution=(300, 150), resolutionunit="inch", compression="zlib",
    )  # fmt: skip
    assert np.array_equal(pixels(frame), array)
    exif = Image.Exif()
    exif.load(frame.exif)
    assert exif[270] == "mother"
    assert frame.dpi == (300, 150)
    assert (frame.note, frame.unkept) == ("", "")


@pytest.mark.parametrize("packing", ["zstd", "webp", "lzma", "lerc"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_rare_packings(tmp_path: Path, packing: str, dtype: type) -> None:
    pytest.importorskip("imagecodecs")
    if packing == "webp" and dtype == np.uint16:
        pytest.skip("WebP has 8 bits")
    options = {"compressionargs": {"lossless": True}} if packing == "webp" else {}
    array = photo(dtype=dtype)
    assert np.array_equal(pixels(written(tmp_path / "a.tif", array, compression=packing, **options)), array)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_plane_for_each_colour(tmp_path: Path, channels: int) -> None:
    array = photo(channels=channels, dtype=np.uint16)
    extra = ["unassalpha"] if channels == 4 else None
    frame = written(
        tmp_path / "a.tif",
        np.moveaxis(array, -1, 0),
        planarconfig="separate",
        photometric="rgb",
        extrasamples=extra,
    )
    assert np.array_equal(pixels(frame), array)


def test_twelve_bits_are_spread_over_sixteen(tmp_path: Path) -> None:
    pytest.importorskip("imagecodecs")
    array = photo(dtype=np.uint16) >> 4
    array[0, 0], array[0, 1] = 0, 4095
    frame = written(tmp_path / "a.tif", array, bitspersample=12)
    assert np.abs(pixels(frame) - array * (65535 / 4095)).max() <= 0.5
    assert frame.note == "its 12 bits are read as 16."


@pytest.mark.parametrize("big", [False, True])
def test_a_thumbnail_is_not_the_picture(tmp_path: Path, big: bool) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=big) as file:
        file.write(photo(15, 20), subfiletype=1, photometric="rgb")
        file.write(photo(), photometric="rgb", description="mother", metadata=None)
    frame = load(tmp_path / "a.tif", CPU)
    assert np.array_equal(pixels(frame), photo())
    assert frame.note == "its thumbnail is left out."
    exif = Image.Exif()
    exif.load(frame.exif)
    assert exif[270] == "mother"


def test_further_pages_are_named(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=True) as file:
        for _ in range(3):
            file.write(photo(), photometric="rgb")
    frame = load(tmp_path / "a.tif", CPU)
    assert (frame.note, frame.unkept) == ("the first of its 3 pages or frames only.", "3 pages")


@pytest.mark.skipif(not shutil.which("tiffcp"), reason="libtiff's tools are not installed")
@pytest.mark.parametrize("mode", ["P", "1", "L", "CMYK"])
def test_bigtiff_of_libtiff_is_what_its_classic_file_is(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(photo())
    (image.quantize(16) if mode == "P" else image.convert(mode)).save(tmp_path / "a.tif")
    subprocess.run(["tiffcp", "-8", tmp_path / "a.tif", tmp_path / "big.tif"], check=True)
    assert np.array_equal(pixels(load(tmp_path / "big.tif", CPU)), pixels(load(tmp_path / "a.tif", CPU)))


def test_premultiplied_alpha_is_divided_out(tmp_path: Path) -> None:
    array = np.array([[[100, 50, 25, 128], [0, 0, 0, 0], [255, 255, 255, 255]]], np.uint8)
    frame = written(tmp_path / "a.tif", array, bigtiff=True, extrasamples=["assocalpha"])
    assert pixels(frame).tolist() == [[199, 100, 50, 128], [0, 0, 0, 0], [255, 255, 255, 255]]


@pytest.mark.parametrize(
    ("array", "options", "words"),
    [
        (photo().astype(np.float32), {}, "sample format 3"),
        (photo().astype(np.int16), {}, "sample format 2"),
        (photo().astype(np.uint32), {}, "32 bits"),
        (photo(channels=1), {"photometric": "cfa"}, "a camera's raw data"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(
    tmp_path: Path, array: np.ndarray, options: dict[str, object], words: str
) -> None:
    with pytest.raises(PictureError, match=words):
        written(tmp_path / "a.tif", array, bigtiff=True, **options)


def test_a_packing_without_its_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(*arguments: object, **options: object) -> None:
        raise ValueError("<COMPRESSION.ZSTD: 50000> requires the 'imagecodecs' package")

    tifffile.imwrite(tmp_path / "a.tif", photo(), bigtiff=True, photometric="rgb")
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lacks)
    with pytest.raises(PictureError, match=r"needs imagecodecs, .* pip install 'gpen-fast\[tiff\]'"):
        load(tmp_path / "a.tif", CPU)


def test_a_ring_of_pages_ends(tmp_path: Path) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, photo(), photometric="rgb")
    data = bytearray(file.getvalue())
    page = tiff.picture_page(bytes(data))
    at = page.file.directory(page.at).next_at
    data[at : at + 4] = page.at.to_bytes(4, "little")
    assert tiff.picture_page(bytes(data)).pages == 1


def test_size_is_refused_from_the_header(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="declares 80x60 pixels: accepted are 4799"):
        tifffile.imwrite(tmp_path / "a.tif", photo(), bigtiff=True, photometric="rgb")
        load(tmp_path / "a.tif", CPU, max_pixels=4799)
