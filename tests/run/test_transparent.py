"""What --dry-run says of transparent pictures, from their headers."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import photo, write_photo
from PIL import Image
from psd import psd

from gpen_fast.run.plan import Plan, plan
from gpen_fast.run.transparent import note_transparent
from gpen_fast.settings import OutputOptions

CLEAR = {"a.png", "a.webp", "a.gif", "a.tif", "a.jp2", "a.tga", "a.psd", "key.png", "deep.png"}


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nine pictures with transparency, four without, and a damaged one."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    clear = Image.fromarray(photo(channels=4))
    for suffix in ("png", "webp", "tif", "jp2", "tga"):
        clear.save(f"in/a.{suffix}")
    palette = Image.fromarray(photo()).quantize(16)
    palette.save("in/a.gif", transparency=3)
    palette.save("in/key.png", transparency=3)
    cv2.imwrite("in/deep.png", photo(channels=4, dtype=np.uint16))
    Path("in/a.psd").write_bytes(psd(photo(channels=4), layers=-1))
    for name in ("b.png", "b.jpg", "b.webp", "b.tif"):
        write_photo(Path("in") / name)
    Path("in/c.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    return tmp_path


def told(output: OutputOptions) -> tuple[set[str], Plan]:
    work = plan(["in"], Path("out"), output)
    note_transparent(work, output)
    return {path.name for path, note in work.notes if "holds transparency" in note}, work


def test_pictures_that_the_format_cannot_hold_are_named_with_the_cure(album: Path) -> None:
    names, work = told(OutputOptions("jpg", on_clash="number"))
    assert names == CLEAR
    assert dict(work.notes)[Path("in/a.png")] == (
        "holds transparency by its header: it fails if any pixel is transparent, which jpg cannot hold. "
        "Try --flatten white, or --format png or tif or webp."
    )


def test_with_flatten_the_colour_is_named_whatever_the_format(album: Path) -> None:
    for kind in ("jpg", "png"):
        names, work = told(OutputOptions(kind, on_clash="number", flatten="#ffcc00"))
        assert names == CLEAR
        assert dict(work.notes)[Path("in/a.png")].endswith("it is put on #ffcc00.")


def test_no_header_is_read_where_the_format_holds_transparency(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*arguments: object, **options: object) -> None:
        raise AssertionError("a header is read")

    monkeypatch.setattr(Image, "open", opened)
    for kind in ("png", "webp", "tif", "same"):
        assert told(OutputOptions(kind, on_clash="number"))[0] == set()
