"""TIFF holds every sample and all metadata, as four other readers see it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from helpers import photo
from saving import ICC, exif, frame_of, opened

from gpen_fast.image.blocks import resources_of_iptc
from gpen_fast.pictures import load_image, save_image
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame, MetadataBlock

CPU = torch.device("cpu")
# Big-endian, with a description.
BIG_ENDIAN = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x0e\0\x02\0\0\0\x07\0\0\0\x1a\0\0\0\0mother\0"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("given", [None, exif(), BIG_ENDIAN], ids=["bare", "exif", "big-endian"])
def test_every_sample_is_exact(channels: int, dtype: type, given: bytes | None, tmp_path: Path) -> None:
    array = photo(331, 277, channels=channels, dtype=dtype)
    data = open_writer("tif").encode(frame_of(array, exif=given), 95)
    assert np.array_equal(tifffile.imread(io.BytesIO(data)), array)
    if channels < 4 and channels != 2:  # OpenCV multiplies 8-bit colours by alpha, and has no grey with alpha
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        wanted = array if channels == 1 else array[..., ::-1]
        assert np.array_equal(read, wanted)
    if dtype == np.uint8 or channels == 1:
        assert np.array_equal(np.asarray(opened(data)), array)
    (tmp_path / "a.tif").write_bytes(data)
    ours = load(tmp_path / "a.tif", CPU)
    parts = ours.pixels if ours.alpha is None else torch.cat([ours.pixels, ours.alpha])
    assert np.array_equal(parts.permute(1, 2, 0).numpy().squeeze(), array)
    assert ours.note == ours.unkept == ""


@pytest.mark.parametrize("given", [exif(), BIG_ENDIAN], ids=["little-endian", "big-endian"])
def test_metadata_is_carried(given: bytes) -> None:
    frame = replace(frame_of(photo(), exif=given, icc=ICC, xmp=b"<x:xmpmeta/>"), dpi=(300.0, 72.5))
    image = opened(open_writer("tif").encode(frame, 95))
    assert image.getexif()[0x010E] == "mother"
    assert image.info["icc_profile"] == ICC
    assert image.info["xmp"] == b"<x:xmpmeta/>"
    assert image.info["dpi"] == (300, 72.5)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_of_a_tiff_are_carried_in_both_byte_orders(tmp_path: Path, order: str) -> None:
    tags = [
        (33550, 12, 3, (0.5, 0.5, 0.0), True),
        (34735, 3, 4, (1, 1, 0, 7), True),
        (285, 2, 5, "page", True),
    ]
    tifffile.imwrite(
        tmp_path / "a.tif", photo(), byteorder=order, photometric="rgb", extratags=tags, description="mother"
    )
    save_image(load_image(tmp_path / "a.tif"), tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        got = file.pages[0].tags
        assert got[33550].value == (0.5, 0.5, 0.0)
        assert got[34735].value == (1, 1, 0, 7)
        assert got[285].value == "page"
        assert got["ImageDescription"].value == "mother"


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
@pytest.mark.parametrize("given", [exif(), BIG_ENDIAN], ids=["little-endian", "big-endian"])
def test_exiftool_has_no_objection(tmp_path: Path, given: bytes) -> None:
    iptc = resources_of_iptc(b"\x1c\x02\x78\x00\x07caption")
    frame = replace(
        frame_of(photo(), exif=given, icc=ICC), blocks=(MetadataBlock("photoshop", "IPTC", iptc),)
    )
    save_image(frame, tmp_path / "a.tif")
    said = subprocess.run(
        ["exiftool", "-j", "-warning", "-a", "-Caption-Abstract", "-ImageDescription", "a.tif"],
        capture_output=True,
        cwd=tmp_path,
        check=True,
    )
    got = json.loads(said.stdout)[0]
    assert (got["Caption-Abstract"], got["ImageDescription"]) == ("caption", "mother")
    assert "Warning" not in got


@pytest.mark.skipif(not shutil.which("tiffinfo"), reason="libtiff's tools are not installed")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_libtiff_has_no_objection(tmp_path: Path, dtype: type) -> None:
    save_image(frame_of(photo(channels=4, dtype=dtype), exif=exif(), icc=ICC), tmp_path / "a.tif")
    said = subprocess.run(
        ["tiffinfo", "-d", str(tmp_path / "a.tif")], capture_output=True, text=True, check=True
    )
    assert said.stderr == ""
    assert "unassoc-alpha" in said.stdout


def test_one_row_and_one_column() -> None:
    for shape in ((1, 500), (500, 1), (1, 1)):
        array = photo(*shape)
        data = open_writer("tif").encode(frame_of(array), 95)
        assert np.array_equal(tifffile.imread(io.BytesIO(data)).reshape(array.shape), array)


def test_a_grey_frame_of_three_channels_is_written_as_three() -> None:
    grey = Frame(torch.from_numpy(photo(channels=1))[None], channels=3)
    assert opened(open_writer("tif").encode(grey, 95)).mode == "RGB"
