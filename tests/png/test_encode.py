"""A PNG file holds exactly the pixels that were given, as three independent readers see it."""

from __future__ import annotations

import io
from typing import ClassVar

import numpy as np
import pytest
import torch
from helpers import EXAMPLES, photo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from png_pictures import KINDS, PICTURES, TYPES, assert_exact, assert_valid, make

from gpen_fast.errors import PictureError
from gpen_fast.png import by_torch, encode, encode_png, encode_pngs
from gpen_fast.png.idat import CHUNK

RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = RGB_PROFILE[:16] + b"GRAY" + RGB_PROFILE[20:]
SHAPES = [(1, 1), (1, 7), (7, 1), (13, 17), (101, 97)]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_channel_count_and_depth(channels: int, dtype: torch.dtype) -> None:
    for height, width in SHAPES:
        for kind in KINDS:
            pixels = make(kind, (channels, height, width), dtype)
            assert_exact(encode_png(pixels), pixels)
    assert_valid(encode_png(make("smooth", (channels, 101, 97), dtype)))


@settings(max_examples=PICTURES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(KINDS),
    channels=st.integers(1, 4),
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    dtype=st.sampled_from(TYPES),
    keep_rgb=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_pictures(kind, channels, height, width, dtype, keep_rgb, seed) -> None:
    pixels = make(kind, (channels, height, width), dtype, seed)
    data = encode_png(pixels, keep_rgb=keep_rgb)
    assert_exact(data, pixels, keep_rgb)
    assert_valid(data)
    row = 1 + width * channels * pixels.element_size()
    assert len(data) <= height * row * 1.001 + 200


@pytest.mark.parametrize("kind", ["noise", "smooth", "one colour"])
@pytest.mark.parametrize("shape", [(3, 5000, 37), (3, 3, 20011), (4, 521, 257)], ids=str)
def test_many_blocks_and_rows_longer_than_a_chunk(kind: str, shape: tuple[int, int, int]) -> None:
    pixels = make(kind, shape, torch.uint8)
    data = encode_png(pixels)
    assert_exact(data, pixels)
    assert_valid(data)


def test_photographs_are_little_larger_than_libpngs_best_usual_effort() -> None:
    torchvision = pytest.importorskip("torchvision")
    ratios = []
    for name in ("astronaut.png", "grace_hopper.jpg", "astronaut-degraded.jpg", "grace_hopper-degraded.jpg"):
        pixels = torch.from_numpy(np.array(Image.open(EXAMPLES / name).convert("RGB"))).permute(2, 0, 1)
        ratios.append(len(encode_png(pixels)) / len(torchvision.io.encode_png(pixels.contiguous(), 6)))
    assert np.median(ratios) <= 1.05
    assert max(ratios) <= 1.15


@pytest.mark.parametrize("size", [(1, 1), (40, 40), (700, 500)], ids=str)
def test_noise_is_stored(size: tuple[int, int]) -> None:
    pixels = make("noise", (3, *size), torch.uint8)
    assert len(encode_png(pixels)) <= size[0] * (1 + 3 * size[1]) * 1.001 + 200


def test_one_colour_costs_next_to_nothing() -> None:
    assert len(encode_png(make("one colour", (3, 1000, 1000), torch.uint8))) < 3_000_000 / 200


def test_any_strides_give_the_same_file() -> None:
    pixels = torch.from_numpy(photo(60, 80)).permute(2, 0, 1).contiguous()
    wanted = encode_png(pixels)
    assert encode_png(pixels.contiguous(memory_format=torch.contiguous_format)) == wanted
    assert encode_png(pixels[None].to(memory_format=torch.channels_last)[0]) == wanted
    wide = torch.zeros(3, 120, 160, dtype=torch.uint8)
    wide[:, ::2, ::2] = pixels
    assert encode_png(wide[:, ::2, ::2]) == wanted
    assert encode_png(pixels.transpose(1, 2).contiguous().transpose(1, 2)) == wanted
    one = torch.arange(9, dtype=torch.uint8).to(torch.uint16).view(3, 3)[:, 1].view(3, 1, 1)
    assert_exact(encode_png(one), one)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_batch_gives_what_each_picture_gives_alone(dtype: torch.dtype) -> None:
    kinds = ["noise", "grey", "smooth", "one colour", "sparse"]
    batch = torch.stack([make(kind, (3, 90, 260), dtype).view(torch.int16 if dtype == torch.uint16 else dtype)
                         for kind in kinds]).view(dtype)  # fmt: skip
    files = encode_pngs(batch)
    assert files == [encode_png(one) for one in batch]
    for data, pixels in zip(files, batch, strict=True):
        assert_exact(data, pixels)


def test_grey_is_one_channel_unless_it_must_not_be() -> None:
    for channels, lean, full in ((3, "L", "RGB"), (4, "LA", "RGBA")):
        pixels = make("grey", (channels, 33, 44), torch.uint8)
        if channels == 4:
            pixels[3] = make("noise", (1, 33, 44), torch.uint8, seed=5)[0]
        assert Image.open(io.BytesIO(encode_png(pixels))).mode == lean
        assert Image.open(io.BytesIO(encode_png(pixels, keep_rgb=True))).mode == full
        assert Image.open(io.BytesIO(encode_png(pixels, icc=RGB_PROFILE))).mode == full
    almost = make("grey", (3, 33, 44), torch.uint8)
    almost[2, 32, 43] ^= 1
    assert_exact(encode_png(almost), almost)


def chunks_of(data: bytes) -> list[tuple[bytes, int]]:
    found, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], size))
        at += 12 + size
    return found


def test_metadata_stands_before_the_pixels_and_a_profile_in_the_place_of_srgb() -> None:
    made = Image.Exif()
    made[0x010E] = "mother"
    pixels = torch.from_numpy(photo()).permute(2, 0, 1)
    plain = encode_png(pixels, exif=made.tobytes())
    assert [kind for kind, _ in chunks_of(plain)] == [b"IHDR", b"sRGB", b"eXIf", b"IDAT", b"IEND"]
    tagged = encode_png(pixels, icc=RGB_PROFILE, exif=made.tobytes())
    assert [kind for kind, _ in chunks_of(tagged)] == [b"IHDR", b"iCCP", b"eXIf", b"IDAT", b"IEND"]
    image = Image.open(io.BytesIO(tagged))
    assert image.getexif()[0x010E] == "mother"
    assert image.info["icc_profile"] == RGB_PROFILE
    grey = encode_png(pixels[:1], icc=GREY_PROFILE)
    assert Image.open(io.BytesIO(grey)).info["icc_profile"] == GREY_PROFILE
    for data in (plain, tagged):
        assert_valid(data)


def test_all_chunks_but_the_last_are_full() -> None:
    sizes = [
        size
        for kind, size in chunks_of(encode_png(make("noise", (3, 300, 200), torch.uint8)))
        if kind == b"IDAT"
    ]
    assert len(sizes) == 6
    assert set(sizes[:-1]) == {CHUNK}
    assert CHUNK >= 32 * 1024


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_stream_that_fills_its_last_chunk(beyond: int) -> None:
    """Stored noise of one channel and one row: two bytes of header, five of block, four of checksum, one of filter."""
    width = 2 * CHUNK + beyond - 12
    pixels = make("noise", (1, 1, width), torch.uint8)
    data = encode_png(pixels)
    assert [size for kind, size in chunks_of(data) if kind == b"IDAT"][-1] == (
        CHUNK if beyond <= 0 else 1
    ) + min(beyond, 0)
    assert_exact(data, pixels)


def test_what_is_no_picture_is_refused_by_name() -> None:
    one = torch.zeros(3, 4, 4)
    with pytest.raises(PictureError, match=r"a tensor of shape \(1, 3, 4, 4\), float32,: .*uint8 or uint16"):
        encode_png(one)
    with pytest.raises(
        PictureError, match=r"shape \(4, 4\), uint8, is not a picture: accepted is \(1\|2\|3\|4,H,W\)"
    ):
        encode_png(one[0].to(torch.uint8))
    with pytest.raises(PictureError, match=r"shape \(1, 5, 4, 4\), uint8,: .* accepts \(B,1\|2\|3\|4,H,W\)"):
        encode_png(torch.zeros(5, 4, 4, dtype=torch.uint8))
    with pytest.raises(PictureError, match=r"shape \(1, 3, 0, 4\), uint8,: .*not empty"):
        encode_png(torch.zeros(3, 0, 4, dtype=torch.uint8))
    with pytest.raises(PictureError, match=r"a ndarray is not a picture"):
        encode_png(np.zeros((3, 4, 4), np.uint8))
    with pytest.raises(PictureError, match=r"a list: .* accepts \(B,"):
        encode_pngs([one])
    with pytest.raises(
        PictureError, match=r"profile of GRAY for 3 channels: accepted is one of RGB\. Leave it out"
    ):
        encode_png(one.to(torch.uint8), icc=GREY_PROFILE)
    with pytest.raises(PictureError, match=r"profile of nothing for 1 channels: accepted is one of GRAY"):
        encode_png(one[:1].to(torch.uint8), icc=b"short")


class Copy:
    """A copy to the host that takes until it is waited for."""

    made: ClassVar[list[str]] = []

    def __init__(self, tensor: torch.Tensor) -> None:
        self._tensor = tensor.clone()
        self.made.append("start")

    def wait(self) -> torch.Tensor:
        self.made.append("wait")
        return self._tensor


@pytest.mark.parametrize("is_flat", [False, True])
def test_one_wait_for_the_lengths_then_all_copies_at_once(
    is_flat: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the pictures' chunks come one right after the other, as the kernels leave them."""
    kinds = [KINDS[i % len(KINDS)] for i in range(11)]
    pixels = torch.stack([make(kind, (3, 20, 30), torch.uint8, seed) for seed, kind in enumerate(kinds)])
    wanted = encode_pngs(pixels)

    def flat(pixels: torch.Tensor, keep_rgb: bool) -> tuple[torch.Tensor, torch.Tensor]:
        framed, facts = by_torch.on_device_by_torch(pixels, keep_rgb)
        parts = [one[:size] for one, size in zip(framed, facts[:, 0].tolist(), strict=True)]
        return torch.cat([*parts, torch.zeros(99, dtype=torch.uint8)]), facts

    monkeypatch.setattr(encode, "on_device", flat if is_flat else by_torch.on_device_by_torch)
    monkeypatch.setattr(encode, "AsyncHostCopy", Copy)
    monkeypatch.setattr(Copy, "made", [])
    assert encode_pngs(pixels) == wanted
    copies = 4 if is_flat else 11
    assert Copy.made == ["start", "wait"] + ["start"] * copies + ["wait"] * copies


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_same_bytes_on_cuda(dtype: torch.dtype) -> None:
    for channels in (1, 2, 3, 4):
        for kind in KINDS:
            pixels = make(kind, (channels, 301, 203), dtype)
            assert encode_png(pixels.cuda()) == encode_png(pixels)


@pytest.mark.cuda
def test_only_the_length_is_waited_for() -> None:
    pixels = make("smooth", (3, 256, 256), torch.uint8).cuda()
    encode_png(pixels)
    torch.cuda.set_sync_debug_mode("error")
    try:
        encode_png(pixels)
    finally:
        torch.cuda.set_sync_debug_mode("default")
