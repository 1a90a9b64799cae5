"""What a file holds is told from its content, and refused before it costs anything."""

from __future__ import annotations

import io
import os
import struct
import sys
import threading
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from formats import SRGB
from helpers import photo, write_photo
from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.stages.load import content, load

CPU = torch.device("cpu")


def refusal(path: Path, **options: int) -> str:
    with pytest.raises(PictureError) as refused:
        load(path, CPU, **options)
    return str(refused.value)


def bytes_of(kind: str, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> bytearray:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return bytearray(file.getvalue())


def forged(kind: str) -> bytes:
    """A file of a few bytes that declares 60000x60000 pixels, or 16000x16000 where no more can be said."""
    data = bytes_of(kind)
    if kind == "JPEG":
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, 60000, 60000)
    elif kind == "PNG":
        struct.pack_into(">II", data, 16, 60000, 60000)
        struct.pack_into(">I", data, 29, zlib.crc32(bytes(data[12:29])))
    elif kind == "BMP":
        struct.pack_into("<ii", data, 18, 60000, 60000)
    elif kind == "WEBP":
        struct.pack_into("<HH", data, 26, 16000, 16000)
    elif kind == "AVIF":
        struct.pack_into(">II", data, data.index(b"ispe") + 8, 60000, 60000)
    else:
        (at,) = struct.unpack_from("<I", data, 4)
        for entry in range(at + 2, len(data) - 12, 12):
            if struct.unpack_from("<H", data, entry)[0] in (256, 257):
                struct.pack_into("<HII", data, entry + 2, 4, 1, 60000)
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "AVIF"])
def test_forged_size_is_refused_from_the_header(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(forged(kind))
    tracemalloc.start()
    try:
        words = refusal(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "declares" in words or words.startswith("damaged: its AVIF header")
    assert peak < 50_000_000


def test_limit_is_the_callers(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.jpg")
    assert load(path, CPU, max_pixels=4800).width == 80
    assert refusal(path, max_pixels=4799) == (
        "declares 80x60 pixels: accepted are 4799. Try a higher --max-pixels if you trust this file."
    )
    with pytest.raises(PictureError, match="declares 80x60"):
        load(Image.fromarray(photo()), CPU, max_pixels=4799)


def test_more_than_pillows_own_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for suffix in ("jpg", "png", "bmp"):
        assert load(write_photo(tmp_path / f"a.{suffix}"), CPU).width == 80


def test_tiles_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    data = bytes_of("TIFF")
    for row_tag, tile_tag in (
        (278, 322),
        (279, 323),
    ):  # rows to a strip and bytes in it become the tile's sides
        at = data.index(struct.pack("<H", row_tag), struct.unpack_from("<I", data, 4)[0])
        struct.pack_into("<HHII", data, at, tile_tag, 4, 1, 65520)
    (tmp_path / "a.tif").write_bytes(data)
    assert refusal(tmp_path / "a.tif").startswith("declares 65520x65520 pixels")


def test_text_that_unpacks_to_much_more_is_refused(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(20_000_000))
    for name, start in ((b"zTXt", b"x\0\0"), (b"iCCP", b"x\0\0")):
        chunk = name + start + packed
        data = bytes_of("PNG")
        data[33:33] = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        (tmp_path / "a.png").write_bytes(data)
        assert refusal(tmp_path / "a.png").startswith(
            "holds a text or profile that unpacks to more than 1 MiB"
        )


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    frame = load(tmp_path / "a.jpg", CPU)
    assert frame.kind == "PNG"
    assert np.array_equal(frame.pixels.permute(1, 2, 0).numpy(), photo())


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",  # Pillow would start Ghostscript
        b"plain text",
        b"\0" * 64,
    ],
)
def test_other_content_is_never_given_to_a_decoder(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    assert refusal(tmp_path / "a.jpg") == (
        "not a picture that can be read: its content has no known format. "
        "Accepted: JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF, GIF, JPEG 2000, PNM, PSD and TGA."
    )


def test_fifo_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(refusal(tmp_path / "pipe.jpg")), daemon=True)
    reader.start()
    reader.join(20)
    assert said == ["is not a regular file."]


def test_folder_and_huge_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        load(tmp_path, CPU)
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: takes no room
    assert refusal(tmp_path / "huge.jpg") == "3.0 GiB: accepted are files below 2 GiB."


def test_heic_without_its_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    for name in [name for name in sys.modules if name.startswith("pillow_heif")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert refusal(tmp_path / "a.heic") == (
        "HEIC needs pillow-heif, which is not installed. Try: pip install 'gpen-fast[heic]'"
    )


def test_avif_without_its_decoder_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.avif").write_bytes(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(64))
    monkeypatch.setitem(content._OPENERS, "AVIF", ("PIL.NoSuchPlugin", "none"))
    assert "AVIF needs Pillow 11.3 or later" in refusal(tmp_path / "a.avif")


def test_memory_that_does_not_suffice_is_one_pictures_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("gpen_fast.stages.load.base.decode_pixels", full)
    assert refusal(write_photo(tmp_path / "a.png")).startswith("needs more memory than there is")


GREY, RGB, RGBA = photo(channels=1), photo(), photo(channels=4)


def pixels(path: Path) -> np.ndarray:
    frame = load(path, CPU)
    colour = frame.pixels.expand(frame.channels, -1, -1)
    parts = colour if frame.alpha is None else torch.cat([colour, frame.alpha])
    return parts.permute(1, 2, 0).numpy().squeeze()


@pytest.mark.parametrize("suffix", ["ppm", "pgm", "jp2", "tga"])
@pytest.mark.parametrize("array", [GREY, RGB, RGBA], ids=["grey", "RGB", "RGBA"])
def test_what_pillow_reads_is_read_whatever_its_name(tmp_path: Path, suffix: str, array: np.ndarray) -> None:
    if suffix in ("ppm", "pgm") and array is RGBA:
        pytest.skip("Netpbm's classic kinds have no alpha")
    Image.fromarray(array).save(tmp_path / f"a.{suffix}")
    (tmp_path / f"a.{suffix}").rename(tmp_path / "a")
    assert np.array_equal(pixels(tmp_path / "a"), array)


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_of_pnm_and_jpeg_2000(tmp_path: Path, channels: int) -> None:
    array = photo(channels=channels, dtype=np.uint16)
    order = array if channels == 1 else array[:, :, ::-1]
    for name in ("a.pgm" if channels == 1 else "a.ppm", "a.jp2"):
        cv2.imwrite(str(tmp_path / name), order, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
        assert np.array_equal(pixels(tmp_path / name), array)
    head = b"P%d # made by hand\n80 60\n4095\n" % (5 if channels == 1 else 6)
    (tmp_path / "twelve").write_bytes(head + (array >> 4).astype(">u2").tobytes())
    assert np.abs(pixels(tmp_path / "twelve") - (array >> 4) * (65535 / 4095)).max() <= 0.5


def test_gif_is_its_first_frame_in_three_channels(tmp_path: Path) -> None:
    still = Image.fromarray(GREY)
    still.save(tmp_path / "a.gif")
    assert np.array_equal(pixels(tmp_path / "a.gif"), np.dstack([GREY] * 3))
    still.save(tmp_path / "b.gif", save_all=True, append_images=[still.rotate(90)])
    frame = load(tmp_path / "b.gif", CPU)
    assert frame.note == "the first of its 2 pages or frames only."
    assert frame.unkept == "an animation of 2 frames"


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_animations_say_what_they_are(tmp_path: Path, suffix: str) -> None:
    still = Image.fromarray(RGB)
    still.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[still.rotate(90), still.rotate(180)])
    assert load(tmp_path / f"a.{suffix}", CPU).unkept == "an animation of 3 frames"


def test_jpeg_xl_is_refused_by_name(tmp_path: Path) -> None:
    for start in (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"):
        (tmp_path / "a.jxl").write_bytes(start + bytes(40))
        assert refusal(tmp_path / "a.jxl").startswith("is JPEG XL, which is not read: accepted are JPEG")


def test_profile_of_jpeg_2000_is_found(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.jp2")
    data = (tmp_path / "a.jp2").read_bytes()
    at = data.index(b"colr")
    box = b"colr\x02\0\0" + SRGB
    made = data[: at - 4] + struct.pack(">I", len(box) + 4) + box + data[at + 11 :]
    grown = len(made) - len(data)
    at = made.index(b"jp2h") - 4
    made = made[:at] + struct.pack(">I", int.from_bytes(made[at : at + 4]) + grown) + made[at + 4 :]
    (tmp_path / "a.jp2").write_bytes(made)
    assert load(tmp_path / "a.jp2", CPU).icc == SRGB
