"""What `Restorer` returns is written with everything that the input carried."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from formats import SRGB
from helpers import EXAMPLES, photo, write_photo
from PIL import Image

import gpen_fast
from gpen_fast import Frame, Restorer
from gpen_fast.errors import PictureError, SettingsError

_ORIENTATION, _ARTIST = 0x0112, 0x013B


@pytest.fixture(scope="module")
def restorer(tiny_weights: Path) -> Restorer:
    return Restorer(weights=tiny_weights, precision="fp32")


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait on its side with EXIF that turns it upright, a profile, XMP and a density."""
    path = tmp_path_factory.mktemp("portrait") / "side.png"
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_ARTIST] = 6, "an artist"
    with Image.open(EXAMPLES / "astronaut.png") as image:
        side = image.convert("RGB").crop((60, 0, 360, 320)).transpose(Image.Transpose.ROTATE_90)
        side.save(path, exif=exif, icc_profile=SRGB, dpi=(300, 300))
    return path


def carried(path: Path) -> tuple[object, ...]:
    frame = gpen_fast.load_image(path)
    return frame.exif, frame.icc, frame.xmp, frame.channels, frame.pixels.shape


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_path_is_saved_with_its_metadata(
    restorer: Restorer, portrait: Path, tmp_path: Path, suffix: str
) -> None:
    done = restorer.restore(portrait)
    assert len(done.faces) == 1
    done.save(tmp_path / f"a.{suffix}")
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert image.size == (300, 320), "upright"
        assert image.info["icc_profile"] == SRGB
        assert dict(image.getexif())[_ORIENTATION] == 1
        assert image.getexif()[_ARTIST] == "an artist"
        if suffix == "png":
            assert np.array_equal(np.asarray(image), done.image)
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_every_kind_of_input_can_be_saved(restorer: Restorer, portrait: Path, tmp_path: Path) -> None:
    wanted = restorer.restore(portrait)
    wanted.save(str(tmp_path / "path.png"))
    array = np.asarray(wanted.image)
    with Image.open(portrait) as pil:
        for name, given in (("pil", pil), ("frame", gpen_fast.load_image(portrait))):
            restorer.restore(given).save(tmp_path / f"{name}.png")
            assert carried(tmp_path / f"{name}.png") == carried(tmp_path / "path.png")
            assert np.array_equal(np.asarray(Image.open(tmp_path / f"{name}.png")), array)
    deep = gpen_fast.load_image(portrait).pixels.permute(1, 2, 0).numpy().astype(np.uint16) * 257
    for given in (deep, torch.from_numpy(deep).permute(2, 0, 1)):
        restorer.restore(given).save(tmp_path / "deep.png")
        assert gpen_fast.load_image(tmp_path / "deep.png").pixels.dtype == torch.uint16


def test_grey_stored_as_colour_and_alpha_keep_their_channels(restorer: Restorer, tmp_path: Path) -> None:
    grey = photo(40, 50, 1)
    given = np.stack([grey] * 3 + [grey], axis=-1)
    Image.fromarray(given).save(tmp_path / "given.png", icc_profile=SRGB)
    restorer.restore(tmp_path / "given.png").save(tmp_path / "saved.png")
    with Image.open(tmp_path / "saved.png") as image:
        assert np.array_equal(np.asarray(image), given)
        assert image.info["icc_profile"] == SRGB


def test_the_metadata_costs_no_second_picture(restorer: Restorer, portrait: Path) -> None:
    metadata = restorer.restore(portrait).metadata
    assert metadata is not None
    assert metadata.pixels.numel() == 1
    assert metadata.pixels.untyped_storage().nbytes() == 1


def test_all_that_a_frame_carries_is_kept(restorer: Restorer, portrait: Path) -> None:
    """A field that Frame gains later is carried without a change here."""
    frame = gpen_fast.load_image(portrait)
    done = restorer.restore(frame)
    assert isinstance(done.image, Frame)
    for field in dataclasses.fields(Frame):
        if field.name not in {"pixels", "alpha", "host"}:
            for other in (done.image, done.metadata):
                assert getattr(other, field.name) == getattr(frame, field.name), field.name


def test_failed_picture_has_nothing_to_save(restorer: Restorer, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("hello")
    (bad,) = restorer.restore_many([tmp_path / "bad.jpg"])
    with pytest.raises(PictureError, match=r"nothing to save: .*bad\.jpg was not restored \(not a picture"):
        bad.save(tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_what_a_format_cannot_hold_is_refused(restorer: Restorer, tmp_path: Path) -> None:
    done = restorer.restore(photo(40, 50, 4))
    with pytest.raises(PictureError, match="is transparent in places"):
        done.save(tmp_path / "a.jpg")
    with pytest.raises(PictureError, match="cannot write 'xyz'"):
        done.save(tmp_path / "a.xyz")
    with pytest.raises(SettingsError, match="PNG level 'best'"):
        done.save(tmp_path / "a.png", png_level="best")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_every_kind_of_path_is_taken(restorer: Restorer, tmp_path: Path) -> None:
    path = write_photo(tmp_path / "ä b.png", height=40, width=50)

    class Own:
        def __fspath__(self) -> str:
            return str(path)

    with os.scandir(tmp_path) as entries, os.scandir(os.fsencode(tmp_path)) as encoded:
        ways = [path, str(path), os.fsencode(path), Own(), *entries, *encoded]
    assert len(ways) == 6
    for way in ways:
        assert restorer.restore(way).path == path
        assert gpen_fast.load_image(way).pixels.shape == (3, 40, 50)
    assert [done.path for done in restorer.restore_many(ways)] == [path] * 6
    done = restorer.restore(path)
    done.save(Own())
    gpen_fast.save_image(ways[4], Own())


def test_frame_comes_back_as_a_frame_of_its_own(restorer: Restorer, portrait: Path) -> None:
    frame = gpen_fast.load_image(portrait)
    before = frame.pixels.clone()
    done = restorer.restore(frame)
    assert np.array_equal(done.image.pixels.permute(1, 2, 0).numpy(), restorer.restore(portrait).image)
    none_found = gpen_fast.load_image(photo(40, 50, 4))
    same = restorer.restore(none_found).image
    assert torch.equal(same.pixels, none_found.pixels)
    assert torch.equal(same.alpha, none_found.alpha)
    same.pixels[:] = 0
    assert none_found.pixels.any(), "the result shares the caller's memory"
    assert torch.equal(frame.pixels, before)


def test_frame_that_a_caller_made(restorer: Restorer) -> None:
    grey = torch.from_numpy(photo(40, 50, 1))[None]
    for pixels, channels in ((grey, 3), (grey, 1), (grey.expand(3, -1, -1), 3)):
        image = restorer.restore(Frame(pixels, None, channels)).image
        assert image.channels == channels
        assert torch.equal(image.pixels[:1], grey)
