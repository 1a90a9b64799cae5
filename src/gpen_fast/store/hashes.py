"""The sha256 of files, cached on disk because reading a checkpoint of 300 MB at every start takes too long."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.files import locked, sha256_of_file, write_file
from gpen_fast.store.folders import user_cache

# Nanoseconds. File systems store times in steps of up to 2 s: a file changed more recently than this could change
# again without a new time, so its hash is not cached.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class Hash:
    """The hash of a file."""

    sha256: str
    """64 hexadecimal digits in lower case."""

    remembered: bool = False
    """It comes from the cache: the file's size, times and inode are those of the moment it was computed."""


def sha256_of(path: Path, *, fresh: bool = False) -> Hash:
    """Returns the sha256 of a file.

    Args:
        path: The file.
        fresh: Read the file even if its hash is cached.

    Returns:
        The hash, cached unless the file was changed within the last two seconds.

    Raises:
        OSError: The file cannot be read. A cache that cannot be read or written is no error.
    """
    name = str(path.resolve())
    before = _identity(path)
    if not fresh:
        match _cached().get(name):
            case [*identity, str(sha256)] if identity == before:
                return Hash(sha256, remembered=True)
    found = sha256_of_file(path)
    if _identity(path) == before and time.time_ns() - max(before[1:3]) > _SETTLED_NS:
        _remember(name, [*before, found])
    return Hash(found)


def _identity(path: Path) -> list[int]:
    """Size in bytes, time of the last change, time of the last change of metadata, and inode.

    A program can set the first time back, but not the second.
    """
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]


def _cache_file() -> Path:
    return user_cache() / "hashes.json"


def _cached() -> dict[str, object]:
    """The cache; empty if it cannot be read, because every hash can be computed again."""
    try:
        cached = json.loads(_cache_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return cached if isinstance(cached, dict) else {}


def _remember(name: str, facts: list[int | str]) -> None:
    with contextlib.suppress(OSError), locked(_cache_file()):
        kept = {path: known for path, known in _cached().items() if os.path.exists(path)}  # noqa: PTH110
        write_file(_cache_file(), json.dumps(kept | {name: facts}, indent=1).encode(), durable=True)
