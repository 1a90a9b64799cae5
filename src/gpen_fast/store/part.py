"""A file on its way: what has come so far, its running hash, and a note of where it came from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


class Part:
    """`.partial-NAME` beside the final name. Bytes are appended, hashed as they come, and survive a killed process.

    origin, etag: of the answer that the bytes came from; they say whether it may be continued. taken_up: it holds
    bytes of more than one answer, or of an earlier process.
    """

    def __init__(self, final: Path) -> None:
        self.path = part_path(final)
        self._note = self.path.with_name(f"{self.path.name}.json")
        self._final = final
        self._digest = hashlib.sha256()
        self.size = 0
        told = self._told()
        self.origin: str | None = told.get("origin")
        self.etag: str | None = told.get("etag")
        self._file = self.path.open("ab")
        try:
            self._take_up()
        except BaseException:
            self._file.close()
            raise

    def _take_up(self) -> None:
        with self.path.open("rb") as there:
            while data := there.read(_CHUNK):
                self._digest.update(data)
                self.size += len(data)
        self.taken_up = self.size > 0

    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def sha256(self) -> str:
        """Of what is there."""
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Forgets what came."""
        self._file.truncate(0)
        self._digest = hashlib.sha256()
        self.size = 0
        self.taken_up = False
        self.begin(None, None)

    def begin(self, origin: str | None, etag: str | None) -> None:
        """Notes where the bytes that follow come from."""
        self.origin, self.etag = origin, etag
        self._note.write_text(json.dumps({"origin": origin, "etag": etag}), "utf-8")

    def append(self, data: bytes) -> None:
        """Adds bytes at the end."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def flush(self) -> None:
        """Lets others read what came."""
        self._file.flush()

    def finish(self) -> None:
        """Gives the file its final name, complete and on disk."""
        self.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.path.replace(self._final)
        self._note.unlink(missing_ok=True)

    def close(self) -> None:
        """Keeps what came for the next time; an empty part is removed."""
        self._file.close()
        if self.path.exists() and not self.path.stat().st_size:
            with contextlib.suppress(OSError):
                self.path.unlink()
                self._note.unlink(missing_ok=True)


def part_path(final: Path) -> Path:
    """Where a file lies until it is complete: its suffix stays, so that it can be looked into."""
    return final.with_name(f".partial-{final.name}")
