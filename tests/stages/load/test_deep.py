"""16 bits: read rightly or refused, never read wrongly."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import photo

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import load

CPU = torch.device("cpu")


def tiff(path: Path, channels: int, **tags: int) -> np.ndarray:
    """A 16-bit TIFF by OpenCV, some SHORT tags of its directory set to other values."""
    array = photo(channels=channels, dtype=np.uint16)
    order = {1: slice(None), 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    plain = [cv2.IMWRITE_TIFF_COMPRESSION, 1]
    data = bytearray(cv2.imencode(".tif", array if channels == 1 else array[:, :, order], plain)[1].tobytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = {
        struct.unpack_from("<H", data, p)[0]: bytes(data[p : p + 12])
        for p in range(at + 2, at + 2 + 12 * count, 12)
    }
    numbers = {"photometric": 262, "planes": 284, "extra": 338, "sample_format": 339}
    for name, value in tags.items():
        entries[numbers[name]] = struct.pack("<HHIHH", numbers[name], 3, 1, value, 0)
    struct.pack_into("<I", data, 4, len(data))
    body = b"".join(entries[tag] for tag in sorted(entries))
    path.write_bytes(bytes(data) + struct.pack("<H", len(entries)) + body + bytes(4))
    return array


def read(path: Path) -> np.ndarray:
    frame = load(path, CPU)
    parts = frame.pixels if frame.alpha is None else torch.cat([frame.pixels, frame.alpha])
    return parts.permute(1, 2, 0).numpy().squeeze()


def test_white_that_is_zero_is_turned_round(tmp_path: Path) -> None:
    array = tiff(tmp_path / "a.tif", 1, photometric=0)
    assert np.array_equal(read(tmp_path / "a.tif"), 65535 - array)


def test_alpha_that_colours_were_multiplied_by_is_divided_out(tmp_path: Path) -> None:
    array = tiff(tmp_path / "a.tif", 4, extra=1).astype(np.float64)
    got = read(tmp_path / "a.tif").astype(np.float64)
    assert np.array_equal(got[:, :, 3], array[:, :, 3])
    seen = array[:, :, 3] > 0
    wanted = np.minimum(array[:, :, :3][seen] * 65535 / array[:, :, 3:][seen], 65535)
    assert np.abs(got[:, :, :3][seen] - wanted).max() <= 0.5


def test_fourth_sample_that_is_no_alpha_is_dropped(tmp_path: Path) -> None:
    array = tiff(tmp_path / "a.tif", 4, extra=0)
    assert np.array_equal(read(tmp_path / "a.tif"), array[:, :, :3])


@pytest.mark.parametrize(
    ("channels", "tags", "words"),
    [
        (
            1,
            {"sample_format": 2},
            "a 16-bit TIFF of 1 samples, photometric 1, sample format 2: accepted are whole",
        ),
        (4, {"photometric": 6}, "a 16-bit TIFF of 4 samples, photometric 6"),
    ],
)
def test_what_opencv_would_read_wrongly_is_refused(
    tmp_path: Path, channels: int, tags: dict[str, int], words: str
) -> None:
    tiff(tmp_path / "a.tif", channels, **tags)
    with pytest.raises(PictureError) as refused:
        load(tmp_path / "a.tif", CPU)
    assert str(refused.value).startswith((words, "a TIFF of a kind that is not read"))


def png(colour_type: int, array: np.ndarray, *chunks: bytes) -> bytes:
    """A 16-bit PNG by hand: neither library writes grey with alpha, or interlaces."""
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    parts = [b"IHDR" + header, *chunks, b"IDAT" + zlib.compress(rows), b"IEND"]
    body = b"".join(struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts)
    return b"\x89PNG\r\n\x1a\n" + body


def test_grey_with_alpha_stays_grey(tmp_path: Path) -> None:
    array = photo(channels=2, dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(png(4, array))
    frame = load(tmp_path / "a.png", CPU)
    assert frame.channels == 1
    assert np.array_equal(read(tmp_path / "a.png"), array)


def test_exif_behind_the_pixels_is_found(tmp_path: Path) -> None:
    exif = b"eXIfII*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + bytes(4)
    array = photo(dtype=np.uint16)
    data = png(2, array)
    chunk = struct.pack(">I", len(exif) - 4) + exif + struct.pack(">I", zlib.crc32(exif))
    (tmp_path / "a.png").write_bytes(data[:-12] + chunk + data[-12:])
    assert np.array_equal(read(tmp_path / "a.png"), np.rot90(array, -1))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_torn_files_are_named_and_the_decoders_keep_quiet(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = cv2.imencode(f".{suffix}", photo(dtype=np.uint16))[1].tobytes()
    (tmp_path / "a").write_bytes(data[: len(data) // 2])
    with pytest.raises(PictureError, match="damaged"):
        load(tmp_path / "a", CPU)
    assert "libpng" not in capfd.readouterr().err
