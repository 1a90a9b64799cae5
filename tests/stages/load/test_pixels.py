"""Pixels are libjpeg's, libwebp's and Pillow's, whoever decodes them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import torch
from helpers import photo
from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import load, pixels
from gpen_fast.stages.load.content import open_header

CPU = torch.device("cpu")


def saved(array: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


KINDS = {
    "baseline": saved(photo(97, 123), "JPEG", quality=90),
    "full chroma": saved(photo(97, 123), "JPEG", subsampling=0),
    "progressive": saved(photo(97, 123), "JPEG", progressive=True),
    "grey": saved(photo(97, 123, channels=1), "JPEG"),
    "lossy": saved(photo(97, 123), "WEBP"),
    "lossless": saved(photo(97, 123), "WEBP", lossless=True),
    "alpha": saved(photo(97, 123, channels=4), "WEBP"),
}


def ours(data: bytes) -> np.ndarray | None:
    try:
        with open_header(data, 10**6) as image:
            return pixels.decode_pixels(image, data, None, []).numpy()
    except Exception:
        return None


def pillows(data: bytes) -> np.ndarray | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            array = np.asarray(image)
            return array if array.ndim == 3 else array[:, :, None]
    except Exception:
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_whole_and_damaged_files_give_what_pillow_gives(kind: str) -> None:
    """Another decoder must neither see other pixels nor accept what Pillow calls torn."""
    data, rng = KINDS[kind], random.Random(5)
    whole = ours(data)
    assert whole is not None
    assert np.array_equal(whole, pillows(data))
    for number in range(40):
        made = bytearray(data)
        if number % 2:
            made = made[: rng.randrange(30, len(made))]
        else:
            for _ in range(4):
                made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
        got, wanted = ours(bytes(made)), pillows(bytes(made))
        assert (got is None) == (wanted is None), number
        assert got is None or np.array_equal(got, wanted), number


def test_the_fast_decoders_do_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(image: Image.Image) -> None:
        raise AssertionError("fell back to Pillow")

    monkeypatch.setattr(pixels, "from_pillow", never)
    for data in KINDS.values():
        assert ours(data) is not None
    import torchvision.io

    for mode, number in pixels.READ_MODES.items():
        name = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB_ALPHA"}[mode]
        assert torchvision.io.ImageReadMode[name].value == number


@pytest.mark.parametrize("kind", ["baseline", "lossy"])
def test_pillow_decodes_where_they_decline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def declines(*arguments: object) -> None:
        raise RuntimeError("not here") if kind == "lossy" else ValueError("Unsupported")

    monkeypatch.setattr(pixels, "_operators", lambda: type("None", (), {"decode_webp": declines}))
    monkeypatch.setattr(simplejpeg, "decode_jpeg", declines)
    (tmp_path / "a").write_bytes(KINDS[kind])
    frame = load(tmp_path / "a", CPU)
    assert np.array_equal(frame.pixels.permute(1, 2, 0).numpy(), pillows(KINDS[kind]))
    assert frame.note == ""


def test_jpeg_that_is_damaged_in_places_is_noted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = bytearray(KINDS["baseline"])
    made[len(made) // 2] ^= 0x15
    made[-40:-38] = b"\xff\xd9"  # an end before the end
    (tmp_path / "a.jpg").write_bytes(made)
    assert load(tmp_path / "a.jpg", CPU).note.startswith("its data is damaged in places (")
    assert capfd.readouterr().err == "", "libjpeg's words name no file"


@pytest.mark.parametrize("kind", ["baseline", "full chroma", "progressive", "grey"])
def test_only_the_end_marker_is_missing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.jpg"
    for cut in (1, 2):
        path.write_bytes(KINDS[kind][:-cut])
        frame = load(path, CPU)
        assert frame.note == "its end marker is missing; all its pixels are there."
        assert np.array_equal(frame.pixels.permute(1, 2, 0).numpy(), pillows(KINDS[kind]))
    for cut in (3, 20, 200):
        path.write_bytes(KINDS[kind][:-cut])
        with pytest.raises(PictureError, match="truncated"):
            load(path, CPU)


def grey_png(depth: int, levels: np.ndarray, transparent: int) -> bytes:
    """A grey PNG with one transparent level, by hand."""
    bits = (levels[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
    rows = b"".join(b"\0" + np.packbits(row.astype(np.uint8).ravel()).tobytes() for row in bits)
    height, width = levels.shape
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [head, b"tRNS" + struct.pack(">H", transparent), b"IDAT" + zlib.compress(rows), b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts
    )


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_level_of_grey_in_every_depth(tmp_path: Path, depth: int) -> None:
    levels = (np.arange(256).reshape(16, 16) * 4099) % 2**depth
    (tmp_path / "a.png").write_bytes(grey_png(depth, levels, int(levels[3, 3])))
    frame = load(tmp_path / "a.png", CPU)
    top = 255 if depth <= 8 else 65535
    assert np.array_equal(frame.pixels[0].numpy(), levels * top // (2**depth - 1))
    assert np.array_equal(frame.alpha[0].numpy(), np.where(levels == levels[3, 3], 0, top))
