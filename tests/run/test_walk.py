"""Which files the inputs of a command name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.walk import Told, exists, expanded, is_folder, real, walk


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.png", "in/a.png", "in/1931/c.png", "in/out/old.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def walked(folder: str, out: Path | None = None) -> tuple[list[str], Told, Told]:
    failed, notes = [], []
    return [str(path) for path in walk(Path(folder), out, failed, notes)], failed, notes


def test_files_come_sorted_and_those_of_the_output_are_left_out(tree: Path) -> None:
    files, failed, notes = walked("in", real(Path("in/out")))
    assert files == ["in/a.png", "in/b.png", "in/1931/c.png"]
    assert not failed
    assert not notes


def test_records_of_earlier_runs_are_left_out(tree: Path) -> None:
    kept = tree / "in" / ".gpen-fast" / "originals" / "old.jpg"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert kept not in list(walk(tree / "in", None, [], []))


def test_a_link_is_followed_and_a_folder_met_twice_is_walked_once(tree: Path) -> None:
    (tree / "elsewhere").mkdir()
    (tree / "elsewhere/d.png").touch()
    (tree / "in/link").symlink_to(tree / "elsewhere")
    (tree / "in/out/loop").symlink_to(tree / "in")
    files, failed, notes = walked("in")
    assert "in/link/d.png" in files
    assert len(files) == len(set(files)) == 5
    assert not failed
    assert notes == [(Path("in/out/loop"), "leads back to in, which is walked once.")]


def test_a_folder_that_cannot_be_read_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def denied(path: os.PathLike[str] | str) -> object:
        if str(path).endswith("1931"):  # a test may run as root, to whom nothing is denied
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    files, failed, _ = walked("in")
    assert "in/a.png" in files
    assert failed == [(Path("in/1931"), "permission denied")]


def test_patterns_become_what_they_match_without_the_output(tree: Path) -> None:
    assert expanded(["in/*.png", "in/1931"], None) == [
        Path("in/a.png"),
        Path("in/b.png"),
        Path("in/1931"),
    ]
    assert Path("in/out/old.png") not in expanded(["in/**/*.png"], Path("in/out"))
    with pytest.raises(InputsError, match=r"in/\*\.gif"):
        expanded(["in/*.gif"], None)


def test_a_name_that_exists_is_no_pattern(tree: Path) -> None:
    (tree / "in/x[1].png").touch()
    assert expanded(["in/x[1].png"], None) == [Path("in/x[1].png")]


def test_the_output_among_the_inputs_is_left_out_unless_it_is_alone(tree: Path) -> None:
    assert expanded(["in", "in/out"], Path("in/out")) == [Path("in")]
    assert expanded(["in"], Path("in")) == [Path("in")]


def test_names_that_no_file_system_takes_are_no_errors(tree: Path) -> None:
    for name in (Path("x" * 5000), Path("a\0b")):
        assert not exists(name)
        assert not is_folder(name)
    Path("loop").symlink_to("loop")
    assert real(Path("loop")).name == "loop"


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("albums [1950-1960]", "albums [1950-1960]/*.jpg"),
        ("albums [1950-1960]", "./albums [1950-1960]/*.jpg"),
        ("albums [1950-1960]", "*/*.jpg"),
        ("a/b [x]/c [y]", "a/b [x]/c [y]/*.jpg"),
        ("a/b [x]/c", "a/*/c/*.jpg"),
        ("a/b [x]", "*/b [x]/*.jpg"),
        ("a/b [x]", "**/b [x]/*.jpg"),
        ("what?", "what?/*.jpg"),
        ("albums [1950-1960]", "albums [1950-1960]*/*.jpg"),
        ("a [1] of [2]", "a [1]*/p*.jpg"),
    ],
)
def test_a_folder_that_exists_is_no_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, pattern: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(folder).mkdir(parents=True)
    for name in ("p1.jpg", "p2.jpg", "notes.txt"):
        (Path(folder) / name).touch()
    for way in (pattern, f"{tmp_path}/{pattern}"):
        assert [path.name for path in expanded([way], None)] == ["p1.jpg", "p2.jpg"]


def test_a_folder_with_brackets_wins_over_what_its_name_matches(tree: Path) -> None:
    for name in ("roll [12]/a.png", "roll 1/b.png", "[a-b].png/x.png"):
        (tree / "in" / name).parent.mkdir()
        (tree / "in" / name).touch()
    assert expanded(["in/roll [12]/*.png"], None) == [Path("in/roll [12]/a.png")]
    assert expanded(["in/[ab].png"], None) == [Path("in/a.png"), Path("in/b.png")], "still a pattern"
    assert expanded(["in/roll [0-9]/*"], None) == [Path("in/roll 1/b.png")]


@pytest.mark.parametrize("link", ["1900", "zzz"])
@pytest.mark.parametrize("to", ["1931", "1931/deep"])
def test_a_link_keeps_the_tree(tree: Path, link: str, to: str) -> None:
    (tree / "in/1931/deep").mkdir()
    (tree / "in/1931/deep/d.png").touch()
    (tree / f"in/{link}").symlink_to(tree / "in" / to, target_is_directory=True)
    files, failed, notes = walked("in")
    assert files == ["in/a.png", "in/b.png", "in/1931/c.png", "in/1931/deep/d.png", "in/out/old.png"]
    assert not failed
    assert notes == [(Path(f"in/{link}"), f"leads back to in/{to}, which is walked once.")]


def test_two_links_to_one_folder_and_one_to_the_folder_above(tree: Path) -> None:
    (tree / "elsewhere").mkdir()
    (tree / "elsewhere/d.png").touch()
    for name, to in (("0", "elsewhere"), ("x", "elsewhere"), ("00up", ".")):
        (tree / "in" / name).symlink_to(tree / to, target_is_directory=True)
    files, _, notes = walked("in")
    assert [file for file in files if "/d.png" in file] == ["in/0/d.png"]
    assert "in/1931/c.png" in files
    assert not [file for file in files if "00up/in" in file]
    assert (Path("in/00up/in"), "leads back to in, which is walked once.") in notes
