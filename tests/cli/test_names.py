"""A file's name is printed on one line and moves no cursor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpen_fast.cli.names import shown


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("in/a b.png", "in/a b.png"),
        ("Großmutter 祖母.jpg", "Großmutter 祖母.jpg"),
        ("two\nlines.png", "two\\nlines.png"),
        ("\x1b[2Jcleared.png", "\\x1b[2Jcleared.png"),
        ("left\u202eright.png", "left\\u202eright.png"),
        (os.fsdecode(b"caf\xe9.png"), "caf\\udce9.png"),
    ],
)
def test_only_what_is_not_printable_is_escaped(name: str, printed: str) -> None:
    assert shown(Path(name)) == printed
