"""Where a run may write beside its pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpen_fast.cli.side_files import landmarks_path, refuse_one_file, side_file
from gpen_fast.errors import InputsError
from gpen_fast.measure.export.json import write_json
from gpen_fast.settings import DetectOptions


def test_links_are_followed_to_the_file_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept").mkdir()
    for name in ("old", "new"):
        (tmp_path / name).symlink_to(f"kept/{name}")
    (tmp_path / "kept/old").write_text("x")
    for name in ("old", "new"):
        assert (
            side_file("--json", Path(name))
            == landmarks_path(Path(name), DetectOptions())
            == tmp_path / "kept" / name
        )
    write_json({}, tmp_path / "kept/old")
    assert (tmp_path / "old").is_symlink()
    assert (tmp_path / "old").read_text() == "{}\n"
    assert side_file("--json", Path("plain.json")) == Path("plain.json")


def test_a_link_to_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, target, what in (
        ("a", "pipe", "is a pipe. Name a .json file"),
        ("b", ".", "is a folder. Name a .json file"),
        ("c", "photo.jpg", "is a picture. Name a .json file"),
        ("d", "none/r.json", "there is no folder .*none. Make it first"),
        ("e", "e", "(Symlink loop|too many levels)"),
    ):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(InputsError, match=f"^--json .*/{name}: .*{what}"):
            side_file("--json", tmp_path / name)


def test_an_open_pipe_by_its_number_is_refused() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(InputsError, match=f"^--json /dev/fd/{writing}: is a pipe. Name a .json file"):
            side_file("--json", Path(f"/dev/fd/{writing}"))
    finally:
        os.close(reading)
        os.close(writing)


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("x")
    (tmp_path / "full").chmod(0o400)
    with pytest.raises(InputsError, match=r"^--json .*full: cannot be written: .*is read-only"):
        write_json({}, tmp_path / "full")
    with pytest.raises(InputsError, match=r"^--json .*r.json: cannot be written: (file exists|not a dir)"):
        write_json({}, tmp_path / "full/r.json")


def test_a_log_may_exist_and_may_not_be_a_folder(tmp_path: Path) -> None:
    assert side_file("--log", None) is None
    assert side_file("--log", tmp_path / "run.log") == tmp_path / "run.log"
    with pytest.raises(InputsError, match=r"^--log .*: is a folder\. Name a \.log file"):
        side_file("--log", tmp_path)


def test_two_files_of_a_run_may_not_be_one() -> None:
    same = Path("f.jsonl")
    refuse_one_file(landmarks=same, save_landmarks=same, log=Path("a.log"), json=None)
    with pytest.raises(
        InputsError, match=r"^--log f\.jsonl: is the file of --save-landmarks too\. Name two files"
    ):
        refuse_one_file(landmarks=None, save_landmarks=same, log=Path("./f.jsonl"), json=None)
    with pytest.raises(InputsError, match=r"^--json f\.jsonl: is the file of --log too"):
        refuse_one_file(landmarks=None, save_landmarks=None, log=same, json=same)
