"""Files appear whole or not at all; a lock has one holder."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from gpen_fast import files
from gpen_fast.errors import FileWriteError
from gpen_fast.files import (
    GrowingFile,
    copy_file,
    fill_file,
    locked,
    nearest_file,
    remove_leftovers,
    sha256_of_file,
    write_file,
)


def test_a_home_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    home, source = tmp_path / "out", tmp_path / "a.png"
    write_file(source, b"a picture")
    for target in (home / "a.png", home / "1931/june/a.png"):
        with pytest.raises(FileNotFoundError):
            write_file(target, b"x", home=home)
        with pytest.raises(FileNotFoundError):
            copy_file(source, target, home=home)
    assert not home.exists()
    home.mkdir()
    write_file(home / "1931/june/a.png", b"x", home=home)
    write_file(tmp_path / "elsewhere/b.png", b"x", home=home)
    assert (home / "1931/june/a.png").read_bytes() == b"x"


def test_failed_write_leaves_no_file_and_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.png"
    write_file(target, b"old")

    def full_disk(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_longest_name_and_new_folders(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / ("n" * 251 + ".png")
    write_file(target, b"data")
    assert target.read_bytes() == b"data"
    copy_file(target, tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes() == b"data"


def test_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write_file(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_replaced_file_passes_its_permissions_on(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    (tmp_path / "a.png").chmod(0o640)
    write_file(tmp_path / "a.png", b"new")
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    (tmp_path / "a.png").chmod(0o444)
    with pytest.raises(
        FileWriteError, match=r"a\.png is read-only and not replaced\. Allow writing, or name"
    ):
        write_file(tmp_path / "a.png", b"new")
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]


def test_copy_keeps_the_time_of_the_last_change(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"data")
    os.utime(tmp_path / "a.png", ns=(10**18, 10**18 + 5000))
    copy_file(tmp_path / "a.png", tmp_path / "b.png")
    assert (tmp_path / "b.png").stat().st_mtime_ns == 10**18 + 5000


def test_link_in_the_place_of_a_result_is_replaced_and_what_it_leads_to_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(b"mine")
    (tmp_path / "a.png").symlink_to("mine.png")
    write_file(tmp_path / "a.png", b"new")
    assert (tmp_path / "mine.png").read_bytes() == b"mine"
    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_what_a_killed_run_left_is_not_in_the_way(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        before = Path.open

        def spy(self: Path, *arguments: object, before=before) -> object:
            names.add(self.name)
            return before(self, *arguments)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Path, "open", spy)
            write_file(tmp_path / "a.png", b"x")
    assert len(names) == 3, "a name that another process may have used"


def test_durable_file_reaches_the_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    rename, sync = Path.replace, os.fsync

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return rename(self, target)

    def fsync(handle: int) -> None:
        done.append(f"fsync of {os.fstat(handle).st_size} bytes")
        sync(handle)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(os, "fsync", fsync)
    write_file(tmp_path / "a.json", b"data")
    write_file(tmp_path / "a.json", b"longer", durable=True)
    assert done == ["rename", "fsync of 6 bytes", "rename"]
    assert (tmp_path / "a.json").read_bytes() == b"longer"


def test_lock_excludes_others_and_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "new" / "a.json"
    monkeypatch.setattr(files, "_LOCK_TIMEOUT_S", 0.05)
    held = pytest.raises(TimeoutError, match=r"a\.json: another process has held it for 0 s")
    with locked(target), held, locked(target):
        pass
    with locked(target):
        write_file(target, b"x")


def test_temporary_files_of_killed_writers_are_removed_and_those_of_living_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.part").touch()
    (tmp_path / ".gpen-fast-dead.part").touch()
    assert remove_leftovers(tmp_path) == 0, "too young to tell"
    now = time.time()
    monkeypatch.setattr(files.time, "time", lambda: now + 60)
    removed: list[int] = []
    with monkeypatch.context() as patch:
        # Once the writer's file is locked, and before its content is written.
        claim = files._claim
        patch.setattr(files, "_claim", lambda file: (claim(file), removed.append(remove_leftovers(tmp_path))))
        write_file(tmp_path / "a", b"x")
    assert removed == [1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "mine.part"]
    assert remove_leftovers(tmp_path / "absent") == 0


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "a").startswith("ba7816bf8f01cfea414140de5dae2223")
    with pytest.raises(FileNotFoundError):
        sha256_of_file(tmp_path / "b")


def test_the_nearest_file_beside_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "portrait.jpg").touch()
    (tmp_path / "scans").mkdir()
    assert nearest_file(tmp_path / "portait.jpg") == " Did you mean 'portrait.jpg'?"
    assert nearest_file(tmp_path / "scan") == " Did you mean 'scans'?"
    assert nearest_file(tmp_path / "portrait.jpg") == "", "it is there"
    assert nearest_file(tmp_path / "zzz") == ""
    assert nearest_file(tmp_path / "none/portrait.jpg") == ""


def test_a_growing_file_has_its_name_once_it_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "t.json"
    target.write_bytes(b"old")
    target.chmod(0o640)
    growing = GrowingFile(target)
    growing.write(b"one ")
    growing.write(b"two")
    assert target.read_bytes() == b"old"
    assert remove_leftovers(tmp_path) == 0, "its writer lives"
    growing.keep()
    assert target.read_bytes() == b"one two"
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_a_growing_file_that_is_discarded_or_cannot_be_kept_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "t.json"
    target.write_bytes(b"old")
    growing = GrowingFile(target)
    growing.write(b"new")
    growing.discard()
    growing = GrowingFile(target)
    target.chmod(0o400)
    with pytest.raises(FileWriteError, match="is read-only and not replaced"):
        growing.keep()
    with pytest.raises(FileWriteError, match="is read-only and not replaced"):
        GrowingFile(target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(FileNotFoundError):
        GrowingFile(tmp_path / "none/t.json")


def test_a_file_that_is_filled_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "film"

    def fill(file: BinaryIO) -> None:
        file.write(b"body")
        file.seek(0)
        assert file.read(2) == b"bo"  # muxers go back to complete their headers
        file.seek(0)
        file.write(b"B")

    fill_file(path, fill)
    assert path.read_bytes() == b"Body"
    with pytest.raises(ZeroDivisionError):
        fill_file(path, lambda file: 1 // file.write(b""))
    assert [each.name for each in path.parent.iterdir()] == ["film"]
    assert path.read_bytes() == b"Body"
