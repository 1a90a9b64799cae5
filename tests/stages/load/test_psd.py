"""PSD files: transparency, saved selections, what the image resources say, and files without a merged picture."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from formats import SRGB, described_exif
from helpers import photo
from PIL import Image
from psd import CMYK, GREY, psd

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import load
from gpen_fast.types import Frame

CPU = torch.device("cpu")
RGBA = photo(channels=4)


def loaded(folder: Path, data: bytes) -> Frame:
    (folder / "a.psd").write_bytes(data)
    return load(folder / "a.psd", CPU)


def colours(frame: Frame) -> np.ndarray:
    return frame.pixels.permute(1, 2, 0).numpy()


def on_white(rgba: np.ndarray) -> np.ndarray:
    """What Photoshop stores: the colours mixed with white, alpha beside them."""
    alpha = rgba[:, :, 3:].astype(float) / 255
    mixed = rgba[:, :, :3] * alpha + 255 * (1 - alpha)
    return np.concatenate([mixed.round().astype(np.uint8), rgba[:, :, 3:]], axis=2)


def test_white_is_taken_out_of_transparent_colours(tmp_path: Path) -> None:
    frame = loaded(tmp_path, psd(on_white(RGBA), layers=-1))
    assert frame.alpha is not None
    assert np.array_equal(frame.alpha[0].numpy(), RGBA[:, :, 3])
    seen = RGBA[:, :, 3] > 64  # below that, eight bits of a mixture hold too little of the colour
    apart = np.abs(colours(frame).astype(int) - RGBA[:, :, :3])[seen]
    assert apart.max() <= 2
    shown = np.concatenate([colours(frame), frame.alpha.permute(1, 2, 0).numpy()], axis=2)
    assert np.abs(on_white(shown).astype(int) - on_white(RGBA)).max() <= 1


@pytest.mark.skipif(not shutil.which("convert"), reason="ImageMagick is not installed")
def test_imagemagick_sees_the_same_transparent_colours(tmp_path: Path) -> None:
    mixed = on_white(RGBA)
    frame = loaded(tmp_path, psd(mixed, layers=-1))
    command = ["convert", f"{tmp_path / 'a.psd'}[0]", f"PNG32:{tmp_path / 'a.png'}"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this ImageMagick reads no PSD")
    with Image.open(tmp_path / "a.png") as image:
        theirs = np.asarray(image.convert("RGBA")).astype(int)
    seen = RGBA[:, :, 3] > 64
    assert np.abs(theirs[:, :, :3] - colours(frame))[seen].max() <= 2


def test_a_saved_selection_is_no_transparency(tmp_path: Path) -> None:
    for layers in (0, 2):
        frame = loaded(tmp_path, psd(RGBA, layers=layers))
        assert frame.alpha is None
        assert np.array_equal(colours(frame), RGBA[:, :, :3])
        assert "left out: its fourth channel, a saved selection." in frame.note


def test_transparency_that_pillow_leaves_out_is_told(tmp_path: Path) -> None:
    grey = np.dstack([photo(channels=1), RGBA[:, :, 3]])
    for array, mode in ((grey, GREY), (np.dstack([RGBA, RGBA[:, :, 0]]), CMYK)):
        assert "the picture stands on white" in loaded(tmp_path, psd(array, mode=mode, layers=-1)).note
        assert "transparency" not in loaded(tmp_path, psd(array, mode=mode)).note


def test_its_resources_are_carried(tmp_path: Path) -> None:
    density = struct.pack(">IHHIHH", 300 << 16, 1, 1, 200 << 16, 1, 1)
    said = {1005: density, 1039: SRGB, 1058: described_exif()[6:], 1060: b"<x:xmpmeta/>"}
    frame = loaded(tmp_path, psd(photo(), resources=said))
    assert (frame.dpi, frame.icc, frame.xmp) == ((300, 200), SRGB, b"<x:xmpmeta/>")
    assert frame.exif is not None
    exif = Image.Exif()
    exif.load(frame.exif)
    assert exif[0x010E] == "mother"


def test_the_orientation_of_its_exif_is_applied(tmp_path: Path) -> None:
    frame = loaded(tmp_path, psd(np.rot90(photo()), resources={1058: described_exif(6)[6:]}))
    assert np.array_equal(colours(frame), photo())


def test_a_file_without_its_merged_picture_is_refused(tmp_path: Path) -> None:
    version = struct.pack(">IB", 1, 0) + bytes(12)
    with pytest.raises(
        PictureError, match=r"without its merged picture\. Save it again .*Maximize Compatibility"
    ):
        loaded(tmp_path, psd(photo(), resources={1057: version}))
    assert loaded(tmp_path, psd(photo(), resources={1057: struct.pack(">IB", 1, 1) + bytes(12)})).width == 80


def test_other_kinds_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"such as PSB\. Save it as PSD or TIFF"):
        loaded(tmp_path, psd(photo(), version=2))
    with pytest.raises(PictureError, match="a PSD of a kind that is not read: accepted are 8 bits"):
        loaded(tmp_path, psd(photo(dtype=np.uint16)))


def test_damaged_sections_are_damage(tmp_path: Path) -> None:
    data = bytearray(psd(RGBA, layers=-1))
    data[30:34] = b"\xff\xff\xff\xf0"
    with pytest.raises(PictureError, match="damaged"):
        loaded(tmp_path, bytes(data))
