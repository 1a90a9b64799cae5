"""Originals that in-place runs keep: the same file under a second name, the first one over all runs."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.originals import (
    Keeper,
    OriginalsFolder,
    bytes_to_keep,
    cause_against_keeping,
    refuse_state_folder,
    same_content,
)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"original")
    os.utime(path, ns=(1, 900_000_000_123_456_789))
    path.chmod(0o640)
    return path


def kept(picture: Path) -> list[bytes]:
    return [path.read_bytes() for path in OriginalsFolder(picture.parent).versions(picture.name)]


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*names: object, **options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


def test_the_original_is_the_same_file_under_a_second_name(picture: Path) -> None:
    before = picture.stat()
    assert Keeper().replace(picture, b"result") == ""
    (original,) = OriginalsFolder(picture.parent).versions("a.jpg")
    after = original.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_mode,
    )
    assert original.read_bytes() == b"original"
    assert (picture.read_bytes(), picture.stat().st_mode) == (b"result", before.st_mode)


def test_later_runs_keep_the_first_original(picture: Path) -> None:
    for result in (b"first result", b"second", b"third"):
        Keeper().replace(picture, result)
    assert kept(picture) == [b"original"]
    Keeper(keep=False).replace(picture, b"fourth")
    Keeper().replace(picture, b"fifth")
    assert kept(picture) == [b"original"], "a result that was written without keeping is a result too"


def test_what_the_user_put_there_between_runs_is_kept_too(picture: Path) -> None:
    keeper = Keeper()
    keeper.replace(picture, b"result")
    for mine in (b"my edit", b"my second"):
        picture.write_bytes(mine)
        keeper.replace(picture, b"result")
    assert kept(picture) == [b"original", b"my edit", b"my second"]
    assert OriginalsFolder(picture.parent).names() == ["a.jpg"]


def test_a_result_is_recognised_in_a_copied_album(picture: Path) -> None:
    Keeper().replace(picture, b"result")
    folder = OriginalsFolder(picture.parent)
    os.utime(picture, (1, 1))
    assert folder.is_result(picture)
    picture.write_bytes(b"RESULT")
    assert not folder.is_result(picture), "of the same size"
    with (folder.path / "results.jsonl").open("ab") as record:
        record.write(b'\n{"name": "a.jpg", "by')
    folder.add_result("a.jpg", picture, "0" * 64)
    assert folder.is_result(picture), "after a line that a full disk cut short"
    os.utime(picture, (1, 1))
    assert not folder.is_result(picture)


def test_another_processs_results_are_known(picture: Path) -> None:
    mine, other = Keeper(), Keeper()
    mine.replace(picture, b"one")
    other.replace(picture, b"two")
    mine.replace(picture, b"three")
    assert kept(picture) == [b"original"]


def test_without_hard_links_the_original_is_copied_and_that_is_said_once(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_links(monkeypatch)
    second = picture.with_name("b.jpg")
    second.write_bytes(b"other")
    before, keeper = picture.stat(), Keeper()
    assert "are copies: this file system refuses hard links" in keeper.replace(picture, b"result")
    assert keeper.replace(second, b"result") == ""
    (original,) = OriginalsFolder(picture.parent).versions("a.jpg")
    assert original.read_bytes() == b"original"
    assert (original.stat().st_mtime_ns, original.stat().st_mode) == (before.st_mtime_ns, before.st_mode)


def test_killed_between_the_copy_and_the_replacement_nothing_is_kept_twice(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_links(monkeypatch)
    OriginalsFolder(picture.parent).keep(picture)
    Keeper().replace(picture, b"result")
    assert kept(picture) == [b"original"]


@pytest.mark.parametrize("call", ["link", "write"])
def test_where_the_original_cannot_be_kept_the_picture_stays(
    picture: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    if call == "link":
        (picture.parent / ".gpen-fast").write_text("a file where the folder is to be")
    else:
        monkeypatch.setattr(
            OriginalsFolder, "add_result", lambda *given: (_ for _ in ()).throw(OSError(28, "full"))
        )
    with pytest.raises(OSError):
        Keeper().replace(picture, b"result")
    assert picture.read_bytes() == b"original"
    assert not list(picture.parent.glob("*.part"))


def test_without_backup_nothing_is_kept(picture: Path) -> None:
    Keeper(keep=False).replace(picture, b"result")
    assert [path.name for path in picture.parent.iterdir()] == ["a.jpg"]


def test_names_of_255_bytes_and_of_one_stem(tmp_path: Path) -> None:
    names = ["ä" * 125 + "a.jpg", "a.jpg", "a.png", "a.JPG"]
    keeper = Keeper()
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
        keeper.replace(tmp_path / name, b"result")
    folder = OriginalsFolder(tmp_path)
    assert {name: folder.versions(name)[0].read_bytes() for name in folder.names()} == {
        name: name.encode() for name in names
    }


def test_many_threads_in_one_folder(tmp_path: Path) -> None:
    keeper, paths = Keeper(), [tmp_path / f"{number}.png" for number in range(60)]
    for path in paths:
        path.write_bytes(path.name.encode())
    threads = [
        threading.Thread(target=lambda part=paths[at::4]: [keeper.replace(path, b"new") for path in part])
        for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    folder = OriginalsFolder(tmp_path)
    assert [kept(path) for path in paths] == [[path.name.encode()] for path in paths]
    assert all(folder.is_result(path) for path in paths)


def test_the_folder_goes_once_it_is_empty_and_only_then(picture: Path) -> None:
    Keeper().replace(picture, b"result")
    folder = OriginalsFolder(picture.parent)
    folder.remove_if_empty()
    assert kept(picture) == [b"original"]
    folder.versions("a.jpg")[0].unlink()
    (folder.path / ".gpen-fast-0123456789ab.part").write_bytes(b"left by a killed run")
    (folder.path.parent / "journal.jsonl").write_text("of another part")
    folder.remove_if_empty()
    assert [path.name for path in folder.path.parent.iterdir()] == ["journal.jsonl"]
    OriginalsFolder(picture.parent / "nowhere").remove_if_empty()


def test_room_that_originals_will_take(picture: Path) -> None:
    other = picture.with_name("b.jpg")
    other.write_bytes(b"123")
    assert bytes_to_keep([picture, other, picture.with_name("gone.jpg")]) == 11
    Keeper().replace(other, b"result")
    assert bytes_to_keep([picture, other]) == 8


def test_content_of_two_files(tmp_path: Path) -> None:
    for name, data in (("a", b"1"), ("b", b"1"), ("c", b"2"), ("d", b"22")):
        (tmp_path / name).write_bytes(data)
    assert [same_content(tmp_path / "a", tmp_path / name) for name in "abcd"] == [True, True, False, False]


def test_what_stands_where_originals_are_to_be_kept(picture: Path) -> None:
    assert cause_against_keeping(picture) is None
    OriginalsFolder(picture.parent).keep(picture)
    assert cause_against_keeping(picture) is None
    other = picture.parent / "other"
    other.mkdir()
    (other / ".gpen-fast").write_text("")
    cause = cause_against_keeping(other / "a.jpg")
    assert cause == (
        f"its original cannot be kept: {other}/.gpen-fast is no folder that can be written to. Allow writing or "
        "rename it, or give --no-backup."
    )


def test_a_path_among_the_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputsError, match=r"is a record of earlier runs\. Name the folder of the pictures: .*album\."
    ):
        refuse_state_folder(tmp_path / "album/.gpen-fast/originals")
    refuse_state_folder(tmp_path / "album")
