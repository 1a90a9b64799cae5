"""Originals come back byte for byte, with their times; what the user changed is never lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.originals import Keeper, OriginalsFolder
from gpen_fast.run.undo import bring_back, find_originals, outlook, undo_all

NAMES = ("a.jpg", "b.png", "sub/c.jpg", "sub/deeper/a.jpg")


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four pictures, restored in place."""
    monkeypatch.chdir(tmp_path)
    keeper = Keeper()
    for number, name in enumerate(NAMES):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"original {name}".encode())
        os.utime(path, ns=(1, 900_000_000_000_000_000 + number))
        keeper.replace(path, f"result {name}".encode())
    return Path("album")


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def undone(*names: str, set_aside: bool = False) -> dict[str, str]:
    return {str(row.picture): row.outcome for row in undo_all(find_originals(names), set_aside=set_aside)}


def originals() -> dict[str, bytes]:
    return {name: f"original {name}".encode() for name in NAMES}


def test_everything_comes_back_with_its_time_and_nothing_else_stays(album: Path) -> None:
    assert set(undone("album").values()) == {"brought_back"}
    assert tree(album) == originals()
    for number, name in enumerate(NAMES):
        assert (album / name).stat().st_mtime_ns == 900_000_000_000_000_000 + number
    assert not list(album.rglob(".gpen-fast"))
    assert undone("album") == {}


def test_single_pictures_patterns_and_names_given_twice(album: Path) -> None:
    assert undone("album/a.jpg", "album/*.png", "album/a.jpg") == {
        "album/a.jpg": "brought_back",
        "album/b.png": "brought_back",
    }
    assert not (album / ".gpen-fast").exists()
    assert set(undone("album", "album/sub")) == {"album/sub/c.jpg", "album/sub/deeper/a.jpg"}


def test_a_changed_picture_is_left_alone_or_set_aside(album: Path) -> None:
    (album / "a.jpg").write_bytes(b"my edit")
    (album / "a_changed.jpg").write_bytes(b"mine too")
    assert undone("album")["album/a.jpg"] == "changed"
    assert (album / "a.jpg").read_bytes() == b"my edit"
    (row,) = undo_all(find_originals(["album"]), set_aside=True)
    assert row.set_aside == (album / "a_changed2.jpg",)
    assert tree(album) == {**originals(), "a_changed.jpg": b"mine too", "a_changed2.jpg": b"my edit"}


def test_versions_between_runs_come_back_beside_the_first_original(album: Path) -> None:
    for mine in (b"one", b"two"):
        (album / "a.jpg").write_bytes(mine)
        Keeper().replace(album / "a.jpg", b"restored again")
    rows = list(undo_all(find_originals(["album/a.jpg"])))
    assert [row.outcome for row in rows] == ["brought_back"]
    assert (album / "a.jpg").read_bytes() == b"original a.jpg"
    assert sorted(path.read_bytes() for path in rows[0].set_aside) == [b"one", b"two"]
    undone("album")
    assert not list(album.rglob(".gpen-fast"))


def test_a_deleted_picture_comes_back(album: Path) -> None:
    (album / "a.jpg").unlink()
    (album / "b.png").unlink()
    assert undone("album/a.jpg") == {"album/a.jpg": "brought_back"}
    assert undone("album")["album/b.png"] == "brought_back"
    assert tree(album) == originals()


def test_what_stands_in_a_pictures_place_is_not_destroyed(album: Path) -> None:
    (album / "a.jpg").unlink()
    (album / "a.jpg").mkdir()
    (album / "a.jpg/inside").write_bytes(b"x")
    (album / "b.png").unlink()
    (album / "b.png").symlink_to("sub/c.jpg")
    rows = undone("album")
    assert (rows["album/a.jpg"], rows["album/b.png"]) == ("changed", "changed")
    assert set(undone("album", set_aside=True).values()) == {"brought_back"}
    assert (album / "a_changed.jpg/inside").read_bytes() == b"x"
    assert (album / "b_changed.png").is_symlink()
    assert (album / "b.png").read_bytes() == b"original b.png"


def test_a_run_that_was_killed_before_it_replaced_a_picture(album: Path) -> None:
    (album / "new.jpg").write_bytes(b"new")
    OriginalsFolder(album).keep(album / "new.jpg")
    assert outlook(OriginalsFolder(album), "new.jpg") == "unchanged"
    assert undone("album")["album/new.jpg"] == "unchanged"
    assert tree(album) == {**originals(), "new.jpg": b"new"}


def test_an_undo_that_was_killed_is_called_again(album: Path) -> None:
    os.link(album / ".gpen-fast/originals/a.jpg", album / "linked")
    (album / "linked").replace(album / "a.jpg")  # as after the rename, with the kept name still there
    (album / ".gpen-fast/originals/b.png").replace(album / "b.png")
    assert undone("album")["album/a.jpg"] == "unchanged"
    assert tree(album) == originals()


def test_a_folder_that_a_killed_run_left_empty_goes(album: Path) -> None:
    undone("album")
    (album / ".gpen-fast/originals").mkdir(parents=True)
    assert undone("album") == {}
    assert not (album / ".gpen-fast").exists()


def test_links_are_followed_as_in_a_run(album: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "link.jpg").symlink_to(tmp_path / "album/a.jpg")
    (other / "folder").symlink_to(tmp_path / "album/sub")
    (other / "folder/loop").symlink_to(tmp_path / "other")
    assert set(undone("other").values()) == {"brought_back"}
    assert (album / "a.jpg").read_bytes() == b"original a.jpg"
    assert (other / "link.jpg").is_symlink()
    assert undone("album") == {"album/b.png": "brought_back"}


def test_a_copied_album_is_undone(album: Path, tmp_path: Path) -> None:
    for path in [path for path in album.rglob("*") if path.is_file()]:
        copy = tmp_path / "copy" / path.relative_to(album)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    assert set(undone("copy").values()) == {"brought_back"}
    assert tree(tmp_path / "copy") == originals()


def test_a_long_name_is_cut_where_changed_is_added(album: Path) -> None:
    path = album / ("ä" * 125 + "a.jpg")
    path.write_bytes(b"original")
    Keeper().replace(path, b"result")
    path.write_bytes(b"edit")
    row = bring_back(OriginalsFolder(album), path.name, set_aside=True)
    assert row.set_aside[0].read_bytes() == b"edit"
    assert row.set_aside[0].name.endswith("_changed.jpg")
    assert path.read_bytes() == b"original"


def test_a_failure_names_the_picture_and_loses_nothing(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, other: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        row = bring_back(OriginalsFolder(album), "a.jpg")
    assert (row.outcome, row.error) == ("failed", "permission denied")
    assert (album / ".gpen-fast/originals/a.jpg").exists()


def test_names_that_are_nothing(album: Path) -> None:
    with pytest.raises(
        InputsError, match=r"nowhere\.jpg: no such file or folder, and no original of that name is kept"
    ):
        find_originals(["nowhere.jpg"])
    with pytest.raises(InputsError, match="is a record of earlier runs"):
        find_originals(["album/.gpen-fast"])
