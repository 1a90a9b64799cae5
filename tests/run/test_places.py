"""What paths are, asked once for each folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpen_fast.run.places import Places


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.png", "in/deep/b.png", "c.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("in/link.png").symlink_to("a.png")
    Path("in/folder").symlink_to("deep", target_is_directory=True)
    Path("in/loop.png").symlink_to("loop.png")
    Path("other").symlink_to("in", target_is_directory=True)
    return tmp_path


NAMES = [
    "c.png",
    "in/a.png",
    "in/link.png",
    "in/folder",
    "in/folder/b.png",
    "in/loop.png",
    "other/link.png",
    "other/folder/../a.png",
    "in/absent.png",
    "absent/a.png",
    "in/a.png/below.png",
    "in/..",
    "in",
    "x" * 5000,
]


@pytest.mark.parametrize("name", NAMES)
def test_places_answer_as_the_system_does(tree: Path, name: str) -> None:
    places = Places()
    for path in (name, str(tree / name)):
        assert places.real(path) == os.path.realpath(path)
        assert places.is_folder(path) == os.path.isdir(path)  # noqa: PTH112
        assert places.is_link(path) == os.path.islink(path)  # noqa: PTH114


def test_a_folder_that_cannot_be_listed_is_asked_file_by_file(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(folder: str) -> None:
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(os, "scandir", denied)
    places = Places()
    assert places.real("in/link.png") == str(tree / "in/a.png")
    assert places.is_link("in/link.png") and places.is_folder("in/folder")


def test_each_folder_is_listed_once(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(folder) or scandir(folder))
    places = Places()
    for number in range(10):
        places.real(f"in/{number}.png")
        places.is_folder(f"in/{number}.png")
        places.is_link(f"in/deep/{number}.png")
    assert listed == ["in", "in/deep"]
