"""One run at a time writes into a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.files import STATE_FOLDER
from gpen_fast.run.journal import lock as module
from gpen_fast.run.journal.lock import RunLock

_HOLD = """
import sys, time
from pathlib import Path
from gpen_fast.run.journal.lock import RunLock
lock = RunLock(Path(sys.argv[1]))
assert lock.take() == ""
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_run_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path), RunLock(tmp_path)
    assert first.take() == first.take() == ""
    with pytest.raises(InputsError, match=r"another run of gpen-fast writes into this folder\. Wait"):
        second.take()
    first.free()
    assert second.take() == "" and second.held
    second.free()


def test_a_run_that_is_killed_frees_its_lock(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        with pytest.raises(InputsError):
            RunLock(tmp_path).take()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    time.sleep(0.05)
    mine = RunLock(tmp_path)
    assert mine.take() == ""
    mine.free()


def test_a_freed_lock_leaves_no_empty_folder_behind(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    lock.take()
    lock.free()
    assert not (tmp_path / STATE_FOLDER).exists()
    (tmp_path / STATE_FOLDER).mkdir()
    (tmp_path / STATE_FOLDER / "journal.jsonl").touch()
    lock.take()
    lock.free()
    assert (tmp_path / STATE_FOLDER / "journal.jsonl").exists()


@pytest.mark.parametrize("error", [NotImplementedError("flock"), PermissionError(13, "Permission denied")])
def test_a_place_without_locks_is_told_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Refused:
        def __init__(self, *_: object, **__: object) -> None: ...

        def acquire(self) -> None:
            raise error

    monkeypatch.setattr(module, "FileLock", Refused)
    lock = RunLock(tmp_path)
    assert lock.take() in ("the file system has no locks", "permission denied")
    assert not lock.held
    lock.free()
