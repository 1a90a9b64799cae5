"""Outputs that cannot be are refused where the options are made."""

from __future__ import annotations

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.settings import OutputOptions


def test_output_format() -> None:
    with pytest.raises(SettingsError, match="format 'gif': accepted are jpg, png, tif, webp, same"):
        OutputOptions("gif")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"in_place": True},
            "--in-place writes each picture under its own name and in its own format: leave --format",
        ),
        ({"in_place": True, "format": "same", "suffix": "_new"}, "leave --format and --suffix out"),
        (
            {"in_place": True, "format": "same", "save_faces": True},
            "--save-faces would mix faces with the pictures",
        ),
        ({"png_level": "best"}, "PNG level 'best': accepted are fast, small."),
        ({"suffix": "a/b"}, "suffix 'a/b': accepted is part of a file's name, such as _restored."),
    ],
)
def test_outputs_that_cannot_be(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        OutputOptions(**wrong)
    assert words in str(refusal.value)
