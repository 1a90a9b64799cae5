"""The sha256 of files, remembered so that a large one is not read at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpen_fast.files import locked, write_file
from gpen_fast.store.folders import user_cache

# A file changed just now may change again within the file system's clock tick: such a hash is not remembered.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class Hash:
    """A file's sha256. remembered: taken from memory, since size, times and inode are as when it was computed."""

    sha256: str
    remembered: bool = False


def sha256_of(path: Path, *, fresh: bool = False) -> Hash:
    """The file's sha256; read anew where `fresh`, or where anything about the file has changed. Raises OSError."""
    name = str(path.resolve())
    before = _identity(path)
    if not fresh:
        known = _memory().get(name)
        if isinstance(known, list) and known[:-1] == before:
            return Hash(known[-1], remembered=True)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if _identity(path) == before and time.time_ns() - max(before[1:3]) > _SETTLED_NS:
        _remember(name, [*before, found])
    return Hash(found)


def _identity(path: Path) -> list[int]:
    """Size, both times (the second cannot be set by a program) and the inode."""
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]


def _file() -> Path:
    return user_cache() / "hashes.json"


def _memory() -> dict[str, Any]:
    """What was remembered; nothing where that cannot be read, for it can all be computed again."""
    try:
        known = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(name: str, facts: list[int | str]) -> None:
    with contextlib.suppress(OSError), locked(_file()):
        there = {path: told for path, told in _memory().items() if os.path.exists(path)}  # noqa: PTH110
        write_file(_file(), json.dumps(there | {name: facts}, indent=1).encode(), durable=True)
