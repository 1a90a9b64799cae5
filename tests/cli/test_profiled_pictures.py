"""Which pictures `profile` times."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.cli.profiled_pictures import profiled_pictures
from gpen_fast.errors import InputsError


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.PNG", "notes.txt", "below/c.webp", ".gpen-fast/kept.jpg"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "in/empty").mkdir()
    return tmp_path / "in"


def test_folders_are_walked_and_each_picture_comes_once(album: Path) -> None:
    assert profiled_pictures([album]) == [album / "a.PNG", album / "b.jpg", album / "below/c.webp"]
    assert profiled_pictures([album / "b.jpg", album]) == [
        album / "b.jpg", album / "a.PNG", album / "below/c.webp",
    ]  # fmt: skip
    assert profiled_pictures([album / "*.jpg"]) == [album / "b.jpg"]


def test_a_file_that_is_named_is_taken_whatever_its_name(album: Path) -> None:
    assert profiled_pictures([album / "notes.txt"]) == [album / "notes.txt"]


def test_what_holds_no_picture_is_refused_in_one_sentence(album: Path) -> None:
    with pytest.raises(
        InputsError, match=r"^.*empty: no picture in this folder, nor below it\. Name another one"
    ):
        profiled_pictures([album / "empty"])
    with pytest.raises(InputsError, match=r"b\.jpeg: no such file\. Did you mean 'b\.jpg'\? profile takes"):
        profiled_pictures([album / "b.jpeg"])
    with pytest.raises(InputsError, match=r"the pattern matches no file"):
        profiled_pictures([album / "*.tif"])
