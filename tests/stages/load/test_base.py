"""Load: every common kind of picture becomes an upright Frame, and bad ones a reason."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
from helpers import photo
from PIL import Image, ImageCms

from gpen_fast.device import streams
from gpen_fast.errors import PictureError, reason
from gpen_fast.png.chunks import header, metadata_chunks
from gpen_fast.stages.load import base as loading
from gpen_fast.stages.load import load, pixels
from gpen_fast.types import Frame

CPU = torch.device("cpu")
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def hwc(frame: Frame) -> np.ndarray:
    return frame.pixels.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
def test_lossless_pictures_are_read_exactly(tmp_path: Path, suffix: str) -> None:
    array = photo()
    Image.fromarray(array).save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    frame = load(tmp_path / f"a.{suffix}", CPU)
    assert np.array_equal(hwc(frame), array)
    assert repr(frame) == "Frame(3x60x80 uint8 cpu)"


def test_tiff_carries_what_describes_it_and_not_where_its_pixels_lie(tmp_path: Path) -> None:
    Image.fromarray(photo()).save(tmp_path / "a.tif", tiffinfo={270: "mother", 315: "R. Capa"})
    carried = Image.Exif()
    carried.load(load(tmp_path / "a.tif", CPU).exif)
    assert dict(carried) == {270: "mother", 315: "R. Capa"}


def test_jpeg_equals_pillows_pixels(tmp_path: Path) -> None:
    Image.fromarray(photo()).save(tmp_path / "a.jpg", quality=90)
    assert np.array_equal(hwc(load(tmp_path / "a.jpg", CPU)), np.asarray(Image.open(tmp_path / "a.jpg")))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_are_read_exactly(tmp_path: Path, suffix: str, channels: int) -> None:
    array = photo(channels=channels, dtype=np.uint16)
    order = {1: array, 3: array[..., ::-1], 4: array[..., [2, 1, 0, 3]] if channels == 4 else array}[channels]
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), order)
    frame = load(tmp_path / f"a.{suffix}", CPU)
    assert frame.pixels.dtype == torch.uint16
    assert np.array_equal(hwc(frame), array.reshape(60, 80, -1)[:, :, : 1 if channels == 1 else 3])
    assert (frame.alpha is not None) == (channels == 4)


def test_alpha_palette_and_one_bit(tmp_path: Path) -> None:
    rgba = photo(channels=4)
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    frame = load(tmp_path / "rgba.png", CPU)
    assert np.array_equal(frame.alpha[0].numpy(), rgba[..., 3])
    Image.fromarray(photo()).quantize(16).save(tmp_path / "palette.png")
    assert load(tmp_path / "palette.png", CPU).pixels.shape[0] == 3
    Image.fromarray(photo(channels=1)).convert("1").save(tmp_path / "bit.png")
    bit = load(tmp_path / "bit.png", CPU)
    assert bit.channels == 1
    assert set(bit.pixels.unique().tolist()) == {0, 255}


def test_cmyk_becomes_rgb_without_its_profile(tmp_path: Path) -> None:
    Image.fromarray(photo()).convert("CMYK").save(tmp_path / "a.jpg", icc_profile=b"x" * 200)
    frame = load(tmp_path / "a.jpg", CPU)
    assert frame.pixels.shape[0] == 3
    assert frame.icc is None


@pytest.mark.parametrize(
    ("suffix", "options"), [("jpg", {}), ("png", {}), ("webp", {"lossless": True}), ("tif", {})]
)
def test_colour_file_without_colour_is_grey_in_every_format(
    tmp_path: Path, suffix: str, options: dict[str, object]
) -> None:
    grey = photo(channels=1)
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(tmp_path / f"a.{suffix}", **options)
    frame = load(tmp_path / f"a.{suffix}", CPU)
    assert (frame.pixels.shape[0], frame.channels) == (1, 3)


def test_moving_pictures_give_their_first_frame_with_a_note(tmp_path: Path) -> None:
    frames = [Image.fromarray(photo(seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    frame = load(tmp_path / "a.webp", CPU)
    assert np.array_equal(hwc(frame), photo())
    assert frame.note == "the first of its 3 pages or frames only."


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once_in_sixteen_bits(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    deep, shallow = tmp_path / f"deep.{suffix}", tmp_path / "shallow.png"
    array = photo(dtype=np.uint16)
    cv2.imwrite(str(deep), array[..., ::-1])
    exif = Image.Exif()
    exif[0x0112] = orientation
    if suffix == "png":
        data = deep.read_bytes()
        start = len(header(1, 1, 1, 8))
        deep.write_bytes(data[:start] + metadata_chunks(exif=exif.tobytes()) + data[start:])
    else:
        tifftag(deep, 0x0112, orientation)
    Image.fromarray((array >> 8).astype(np.uint8)).save(shallow, exif=exif)
    assert np.array_equal(hwc(load(deep, CPU)) >> 8, hwc(load(shallow, CPU)))


def tifftag(path: Path, tag: int, value: int) -> None:
    """Sets a SHORT tag of a little-endian TIFF's first directory, appending a new directory."""
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = [bytes(data[at + 2 + 12 * i : at + 14 + 12 * i]) for i in range(count)]
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] != tag]
    entries.append(struct.pack("<HHIHH", tag, 3, 1, value, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    struct.pack_into("<I", data, 4, len(data))
    path.write_bytes(bytes(data) + struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "grandmother, 1931"
    Image.fromarray(photo()).save(tmp_path / "a.png", exif=exif)
    frame = load(tmp_path / "a.png", CPU)
    assert np.array_equal(hwc(frame), np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png"))))
    carried = Image.Exif()
    carried.load(frame.exif)
    assert carried[0x0112] == 1
    assert carried[0x010E] == "grandmother, 1931"


def test_icc_is_carried(tmp_path: Path) -> None:
    Image.fromarray(photo()).save(tmp_path / "a.jpg", icc_profile=ICC)
    assert load(tmp_path / "a.jpg", CPU).icc == ICC


def test_unicode_spaces_and_leading_dash(tmp_path: Path) -> None:
    path = tmp_path / "-奶奶 à la été.png"
    Image.fromarray(photo()).save(path)
    assert load(path, CPU).width == 80


def test_bad_files_say_why(tmp_path: Path) -> None:
    good = tmp_path / "good.jpg"
    Image.fromarray(photo(400, 400)).save(good)
    cases = {
        "empty.jpg": (b"", "the file is empty."),
        "text.jpg": (b"hello", "not a picture that can be read: its content has no known format."),
        "cut.jpg": (good.read_bytes()[:2000], "damaged: "),
    }
    for name, (data, why) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(PictureError) as failure:
            load(tmp_path / name, CPU)
        assert reason(failure.value, tmp_path / name).startswith(why)
    with pytest.raises(FileNotFoundError) as missing:
        load(tmp_path / "none.jpg", CPU)
    assert reason(missing.value, tmp_path / "none.jpg") == "no such file or directory"


def test_reason_names_another_file_than_the_picture() -> None:
    full = OSError(28, "No space left on device", "out/a.png")
    assert reason(full, Path("in/a.jpg")) == "no space left on device (out/a.png)"
    assert reason(ZeroDivisionError("division by zero"), Path("a")) == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("mode", ["F", "I"])
def test_32_bit_samples_are_refused_instead_of_cut(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (8, 8), 1).save(tmp_path / "a.tif")
    with pytest.raises(PictureError, match=r"^holds 32-bit samples: accepted are 8 and 16 bits"):
        load(tmp_path / "a.tif", CPU)


def test_later_pages_are_noted(tmp_path: Path) -> None:
    pages = [Image.fromarray(photo(seed=i)) for i in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    frame = load(tmp_path / "a.tif", CPU)
    assert np.array_equal(hwc(frame), photo())
    assert frame.note == "the first of its 3 pages or frames only."


class OnDevice(torch.Tensor):
    """A tensor that says it lies on a GPU, and notes for which stream its memory is kept."""

    events: ClassVar[list[str]] = []

    @property
    def device(self) -> torch.device:
        return torch.device("cuda", 0)

    def record_stream(self, stream: str) -> None:
        self.events.append(f"{tuple(self.shape)} kept for {stream}")


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a reader's thread does beside its work, with streams that are names."""

    class Stream:
        def synchronize(self) -> None:
            OnDevice.events.append("waited")

    OnDevice.events.clear()
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream())
    monkeypatch.setattr(streams._thread, "serving", "the worker", raising=False)
    return OnDevice.events


def test_a_picture_decoded_on_the_device_is_complete_and_kept_for_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[str]
) -> None:
    decoded = torch.arange(60 * 80 * 3).view(60, 80, 3).to(torch.uint8).as_subclass(OnDevice)
    monkeypatch.setattr(pixels, "decode_nvjpeg", lambda data, mode, device: decoded)
    Image.fromarray(photo()).save(tmp_path / "a.jpg")
    frame = load(tmp_path / "a.jpg", torch.device("cuda", 0), gpu_decode=True)
    assert torch.equal(frame.pixels, decoded.permute(2, 0, 1))
    assert events == ["waited", "(3, 60, 80) kept for the worker"]


def test_alpha_on_the_device_is_handed_over_too(events: list[str]) -> None:
    colour, alpha = (torch.zeros(n, 4, 5, dtype=torch.uint8).as_subclass(OnDevice) for n in (3, 1))
    loading._upload(Frame(colour, alpha), torch.device("cuda", 0))
    assert events == ["waited", "(3, 4, 5) kept for the worker", "waited", "(1, 4, 5) kept for the worker"]


def test_outside_a_readers_thread_nothing_waits(monkeypatch: pytest.MonkeyPatch, events: list[str]) -> None:
    monkeypatch.setattr(streams._thread, "serving", None)
    colour = torch.zeros(3, 4, 5, dtype=torch.uint8).as_subclass(OnDevice)
    loading._upload(Frame(colour), torch.device("cuda", 0))
    assert events == []
