"""Which pictures belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.pairs import match_pictures


def files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_two_files_are_one_pair(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "b.jpg")
    pair = tmp_path / "a.png", tmp_path / "b.jpg"
    assert match_pictures(*pair).pairs == [pair]


def test_folders_are_matched_by_whole_names_then_without_suffix(tmp_path: Path) -> None:
    a = files(tmp_path / "a", "1.jpg", "2.jpg", "sub/3.jpg", "4.jpg", "4.png", "only.png", "notes.txt")
    b = files(tmp_path / "b", "1.jpg", "2.png", "sub/3.png", "4.png", "4.webp", "other.png")
    found = match_pictures(a, b)
    names = [(str(one.relative_to(a)), str(other.relative_to(b))) for one, other in found.pairs]
    assert names == [
        ("1.jpg", "1.jpg"), ("2.jpg", "2.png"), ("4.jpg", "4.webp"), ("4.png", "4.png"), ("sub/3.jpg", "sub/3.png"),
    ]  # fmt: skip
    assert found.alone == [
        (a / "only.png", f"{b} has no picture of this name."),
        (b / "other.png", f"{a} has no picture of this name."),
    ]


def test_names_that_stand_twice_are_not_guessed(tmp_path: Path) -> None:
    a = files(tmp_path / "a", "1.jpg", "1.bmp")
    b = files(tmp_path / "b", "1.png")
    found = match_pictures(a, b)
    assert found.pairs == []
    assert len(found.alone) == 3


def test_wrong_sides_are_refused(tmp_path: Path) -> None:
    a, file = files(tmp_path / "a", "1.jpg"), files(tmp_path, "b.jpg") / "b.jpg"
    with pytest.raises(InputsError, match=r"no such file or folder. Did you mean 'b.jpg'"):
        match_pictures(a, tmp_path / "b.jpeg")
    with pytest.raises(InputsError, match=r"a is a folder and .*b.jpg is a file: accepted are two"):
        match_pictures(file, a)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputsError, match="empty: no picture in this folder"):
        match_pictures(a, tmp_path / "empty")
