"""A full disk or a removed folder ends a run once."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import cast

import pytest

from gpen_fast.errors import OutputError, PictureError
from gpen_fast.run.guard import OutputGuard
from gpen_fast.run.job import Finished, Pasted

PICTURE = cast("Pasted", object())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full: no more results fit. What is finished is kept"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the file system has become read-only"),
    ],
)
def test_a_full_disk_ends_the_run_and_no_other_result_is_tried(
    tmp_path: Path, number: int, words: str
) -> None:
    calls = []

    def write(picture: Pasted) -> Finished:
        calls.append(picture)
        raise OSError(number, os.strerror(number))

    guard = OutputGuard(write, lambda _: tmp_path / "a.png", lambda _: tmp_path)
    for _ in range(3):
        with pytest.raises(OutputError, match=words):
            guard(PICTURE)
    assert len(calls) == 1 and guard.ended and guard.ended[0] == tmp_path


@pytest.mark.parametrize("error", [PictureError("no"), PermissionError(13, "no"), OSError("no number")])
def test_another_error_ends_its_picture_alone(tmp_path: Path, error: Exception) -> None:
    def write(picture: Pasted) -> Finished:
        raise error

    guard = OutputGuard(write, lambda _: tmp_path / "a.png", lambda _: None)
    with pytest.raises(type(error)):
        guard(PICTURE)
    assert guard.ended is None


def test_an_output_folder_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    guard = OutputGuard(lambda _: pytest.fail("written"), lambda _: out / "a.png", lambda _: out)
    with pytest.raises(OutputError, match="the output folder was removed during the run"):
        guard(PICTURE)
    assert not out.exists()


def test_an_output_folder_that_goes_during_a_write_ends_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def write(picture: Pasted) -> Finished:
        out.rmdir()
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    guard = OutputGuard(write, lambda _: out / "a.png", lambda _: out)
    with pytest.raises(OutputError, match="the output folder was removed during the run"):
        guard(PICTURE)
    assert guard.ended == (out, "the output folder was removed during the run. Run the same command again.")
