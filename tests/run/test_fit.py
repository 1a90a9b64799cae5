"""What a result's format cannot hold is refused, or settled, before anything is detected or restored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import EXAMPLES, photo, write_photo
from PIL import Image

from gpen_fast.errors import PictureError, SettingsError
from gpen_fast.pictures import load_image
from gpen_fast.run.fit import Fit
from gpen_fast.run.job import PictureSource
from gpen_fast.run.plan import Item
from gpen_fast.settings import OutputOptions
from gpen_fast.stages.save import jpg, webp
from gpen_fast.types import Frame


def fit(target: str, *, aligned: bool = False, **options: object) -> Fit:
    return Fit([Item(Path("a"), Path(target))], OutputOptions(**options), aligned=aligned)  # type: ignore[arg-type]


SOURCE = PictureSource(0, Path("a"))


def test_transparency_that_the_format_lacks_is_refused() -> None:
    frame = load_image(photo(20, 30, 4))
    with pytest.raises(
        PictureError,
        match=r"is transparent in places, which jpg cannot hold\. Try --flatten white, or --format png or tif or webp",
    ):
        fit("a.jpeg")(SOURCE, frame)
    for target in ("a.png", "a.webp"):
        assert fit(target)(SOURCE, frame) is frame
    opaque = load_image(np.dstack([photo(20, 30), np.full((20, 30), 255, np.uint8)]))
    assert fit("a.jpg")(SOURCE, opaque) is opaque


@pytest.mark.parametrize("target", ["a.jpg", "a.png"])
def test_colour_makes_it_opaque(target: str) -> None:
    settled = fit(target, flatten="#0a0b0c")
    clear = load_image(np.zeros((20, 30, 4), np.uint8))
    done = settled(SOURCE, clear)
    assert done.alpha is None
    assert done.pixels[:, 0, 0].tolist() == [10, 11, 12]
    assert settled.changed(SOURCE)
    other = fit(target, flatten="white")
    other(SOURCE, load_image(photo(20, 30)))
    assert not other.changed(SOURCE)


@pytest.mark.parametrize(("target", "side"), [("a.jpg", 65500), ("a.webp", 16383)])
def test_too_long_a_side_is_refused(target: str, side: int) -> None:
    longest = Frame(torch.zeros(1, 1, side, dtype=torch.uint8))
    longer = Frame(torch.zeros(1, side + 1, 1, dtype=torch.uint8))
    assert fit(target)(SOURCE, longest) is longest
    with pytest.raises(
        PictureError, match=rf"1x{side + 1} pixels: .* holds {side} a side\. Try --format png"
    ):
        fit(target)(SOURCE, longer)
    assert fit("a.png")(SOURCE, longer) is longer
    assert fit(target, aligned=True)(SOURCE, longer) is longer, "its result has the network's size"
    writer = {"jpg": jpg, "webp": webp}[target.removeprefix("a.")]
    with pytest.raises(PictureError, match=f"{side} a side"):
        writer.encode(longer, 95)


@pytest.mark.parametrize("colour", ["whit", "#12", "#ff000080", "rgb(1,2)", ""])
def test_no_colour(colour: str) -> None:
    with pytest.raises(SettingsError, match=r"accepted is an opaque colour, such as white, '#ffcc00' or"):
        OutputOptions(flatten=colour)


class TestRun:
    """The command line, with a face and without one."""

    @pytest.fixture
    def album(self, tmp_path: Path) -> Path:
        with Image.open(EXAMPLES / "astronaut.png") as image:
            face = image.convert("RGB").crop((80, 0, 340, 280))
        clear = Image.new("L", face.size, 255)
        clear.paste(0, (0, 0, 40, 280))
        (tmp_path / "in").mkdir()
        face.putalpha(clear)
        face.save(tmp_path / "in/face.png")
        Image.fromarray(np.zeros((50, 60, 4), np.uint8)).save(tmp_path / "in/none.png")
        write_photo(tmp_path / "in/opaque.png")
        return tmp_path

    def test_refused_before_the_network(self, enhance, album: Path) -> None:
        done = enhance(album / "in", album / "out", "--format", "jpg")
        assert done.status == 1
        assert done.err.count("--flatten white") == 2
        assert [path.name for path in (album / "out").glob("*.*g")] == ["opaque.jpg"]

    @pytest.mark.parametrize("format", ["jpg", "png"])
    def test_flattened(self, enhance, album: Path, format: str) -> None:
        done = enhance(album / "in", album / "out", "--format", format, "--flatten", "rgb(255, 0, 0)")
        assert done.status == 0
        for name, at in (("face", (10, 100)), ("none", (5, 5))):
            with Image.open(album / f"out/{name}.{format}") as image:
                assert image.mode == "RGB"
                assert np.abs(np.subtract(image.getpixel(at), (255, 0, 0))).max() <= 4
        if format == "png":
            assert (album / "out/opaque.png").read_bytes() == (album / "in/opaque.png").read_bytes()
