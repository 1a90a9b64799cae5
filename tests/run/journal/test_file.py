"""The journal's file: appended by threads and processes, cut short, rewritten."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gpen_fast.run.journal.file import JournalFile
from gpen_fast.run.journal.rows import FileFacts, JournalRow


def row(name: str, settings: str = "k") -> JournalRow:
    return JournalRow(name, f"/in/{name}", FileFacts(1, 2), FileFacts(3, 4), settings, "restored")


def started(home: Path) -> JournalFile:
    file = JournalFile(home)
    file.start()
    return file


def read(home: Path) -> dict[str, list[JournalRow]]:
    file = JournalFile(home)
    file.read()
    return file.rows


def test_what_was_appended_is_read_by_result_oldest_first(tmp_path: Path) -> None:
    file = started(tmp_path)
    file.append([row("a", "1"), row("b")])
    file.append([row("a", "2")])
    file.close()
    assert read(tmp_path) == {"a": [row("a", "1"), row("a", "2")], "b": [row("b")]}


def test_a_folder_without_a_journal_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path) == {} == read(tmp_path / "absent")


def test_a_line_that_a_full_disk_cut_short_spoils_no_other(tmp_path: Path) -> None:
    file = started(tmp_path)
    file.append([row("a")])
    with file.path.open("ab") as torn:
        torn.write(row("b").line()[:50])
    file.append([row("c")])
    file.close()
    assert read(tmp_path) == {"a": [row("a")], "c": [row("c")]}


def test_two_files_and_many_threads_append_whole_rows(tmp_path: Path) -> None:
    files = [started(tmp_path), started(tmp_path)]

    def append(number: int) -> None:
        for one in range(50):
            files[number % 2].append([row(f"{number}-{one}")])

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read(tmp_path)) == 200


def test_a_file_of_outdated_rows_is_rewritten_and_keeps_the_last_two(tmp_path: Path) -> None:
    file = started(tmp_path)
    file.append([row("a", str(run)) for run in range(2500)])
    file.append([row("b")])
    file.close()
    long = JournalFile(tmp_path)
    long.read()
    long.shorten()
    assert read(tmp_path) == {"a": [row("a", "2498"), row("a", "2499")], "b": [row("b")]}


@pytest.mark.parametrize("rows", [10, 2500])
def test_a_file_of_present_rows_stays(tmp_path: Path, rows: int) -> None:
    file = started(tmp_path)
    file.append([row(str(one)) for one in range(rows)])
    file.close()
    before = file.path.stat().st_ino
    long = JournalFile(tmp_path)
    long.read()
    long.shorten()
    assert file.path.stat().st_ino == before


def test_a_results_name_is_its_path_below_the_folder(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / "out")
    assert file.name(tmp_path / "out" / "1931" / "a.png") == "1931/a.png"
    assert file.name(tmp_path / "else" / "a.png") == "../else/a.png"
    assert JournalFile(Path()).name(Path("a.png")) == "a.png"
