"""The names of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.run.places import Places
from gpen_fast.run.targets import kinds_by_suffix, targets
from gpen_fast.settings import OutputOptions


@pytest.mark.parametrize(
    ("out", "output", "relative", "wanted"),
    [
        ("out", OutputOptions(), "a.jpg", "out/a.png"),
        ("out", OutputOptions(suffix="_new"), "1931/x.y.JPEG", "out/1931/x.y_new.png"),
        ("out", OutputOptions("same"), "1931/a.JPEG", "out/1931/a.JPEG"),
        ("out", OutputOptions("same"), "a.bmp", "out/a.png"),
        (".", OutputOptions(), "a.jpg", "a.png"),
        ("/out", OutputOptions("webp"), "a.jpg", "/out/a.webp"),
        ("/", OutputOptions(), ".hid.jpg", "/.hid.png"),
    ],
)
def test_a_result_keeps_the_place_below_its_input(
    out: str, output: OutputOptions, relative: str, wanted: str
) -> None:
    assert targets(Path(out), output, Places(), one=False)(f"in/{relative}", relative) == wanted


def test_one_file_has_the_name_that_was_given() -> None:
    assert targets(Path("o.webp"), OutputOptions("webp"), Places(), one=True)("in/a.jpg", "a.jpg") == "o.webp"


def test_in_place_a_picture_is_its_own_target_and_a_link_is_followed(tmp_path: Path) -> None:
    picture, link = tmp_path / "a.jpg", tmp_path / "link.jpg"
    picture.touch()
    link.symlink_to(picture)
    target = targets(None, OutputOptions("same", in_place=True), Places(), one=False)
    assert target(str(picture), "a.jpg") == str(picture)
    assert target(str(link), "link.jpg") == str(picture.resolve())


def test_a_suffix_means_a_format() -> None:
    kind_of = kinds_by_suffix()
    assert [kind_of(suffix) for suffix in (".JPEG", ".jpg", ".TIFF", ".xyz", "")] == [
        "jpg",
        "jpg",
        "tif",
        "xyz",
        "",
    ]
