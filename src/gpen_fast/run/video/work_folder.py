"""The folder in which a run keeps what it has done of one output, held by one run at a time. Imports no torch."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from gpen_fast.errors import InputsError
from gpen_fast.files import STATE_FOLDER, write_file

_KEY, _LOCK = "key.json", "run.lock"


def frames_work_folder(target: Path) -> Path:
    """Where a run keeps what it needs to go on with the numbered pictures in a folder."""
    return target / STATE_FOLDER / "frames"


@contextlib.contextmanager
def held_folder(folder: Path, target: Path) -> Iterator[None]:
    """Makes the folder, and holds the only right among all processes to write in it.

    Args:
        folder: The folder.
        target: The output that it belongs to, for messages.

    Raises:
        InputsError: Another run holds it.
        OSError: It cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise InputsError(
            f"{target}: another run of gpen-fast writes it. Wait until it has ended, or name another output."
        ) from None
    try:
        yield
    finally:
        lock.release()


def remove_folder(folder: Path) -> None:
    """Removes the folder, and the one that holds it where nothing else is in that."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()


def has_key(folder: Path, key: Mapping[str, object]) -> bool:
    """Whether what is in the folder was made under this key."""
    path = folder / _KEY
    return path.is_file() and path.read_text(encoding="utf-8") == _text(key)


def is_keyed(folder: Path) -> bool:
    """Whether a run has begun here."""
    return (folder / _KEY).is_file()


def write_key(folder: Path, key: Mapping[str, object]) -> None:
    """Notes what is in the folder from now on."""
    write_file(folder / _KEY, _text(key).encode())


def _text(key: Mapping[str, object]) -> str:
    return json.dumps(key, sort_keys=True)
