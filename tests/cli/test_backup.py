"""What is said of the originals before they are replaced."""

from __future__ import annotations

import io
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from gpen_fast.cli.backup import print_backup, shown_bytes
from gpen_fast.run.plan import Item, Plan
from gpen_fast.settings import OutputOptions

IN_PLACE = OutputOptions("same", in_place=True)


def said(tmp_path: Path, output: OutputOptions, count: int = 2) -> str:
    paths = [tmp_path / f"{number}.jpg" for number in range(count)]
    for path in paths:
        path.write_bytes(b"x" * 1_700_000)
    to = io.StringIO()
    print_backup(Plan([Item(path, path) for path in paths]), output, to)
    return to.getvalue()


def test_the_room_and_the_way_back(tmp_path: Path) -> None:
    assert said(tmp_path, IN_PLACE) == (
        "originals are kept in .gpen-fast/originals of each folder: up to 3.4 MB more on disk; gpen-fast undo brings "
        "them back\n"
    )


def test_a_disk_without_so_much_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(3, 1, 2_000_000))
    assert "up to 3.4 MB more on disk, and only 2.0 MB are free;" in said(tmp_path, IN_PLACE)


def test_nothing_is_said_where_nothing_is_replaced(tmp_path: Path) -> None:
    assert said(tmp_path, OutputOptions()) == ""
    assert said(tmp_path, IN_PLACE, count=0) == ""


def test_without_backup(tmp_path: Path) -> None:
    output = OutputOptions("same", in_place=True, no_backup=True)
    assert said(tmp_path, output) == (
        "originals are not kept (--no-backup): gpen-fast undo cannot bring them back\n"
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (3_400_000_000, "3.4 GB"), (10**16, "10000.0 TB")],
)
def test_sizes(count: int, text: str) -> None:
    assert shown_bytes(count) == text
