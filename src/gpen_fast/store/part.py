"""An incomplete file: the bytes received so far, their running hash, and a note of their source."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

# Bytes that are hashed at a time.
_CHUNK = 1 << 20


class Part:
    """The file `.partial-NAME` beside the final name.

    Bytes are appended and hashed as they arrive, and survive a killed process: the next `Part` of the same final path
    holds them.

    Args:
        final: The path that the complete file gets.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, final: Path) -> None:
        self.path = part_path(final)
        """The incomplete file."""
        self._note = self.path.with_name(f"{self.path.name}.json")
        self._final = final
        self._digest = hashlib.sha256()
        self.size = 0
        """Bytes so far."""
        note = self._read_note()
        self.origin: str | None = note.get("origin")
        """The address that the bytes come from; another one may deliver another file."""
        self.etag: str | None = note.get("etag")
        """The strong ETag of the file that the bytes belong to."""
        self._file = self.path.open("ab")
        try:
            self._hash_existing()
        except BaseException:  # an interrupt too must not leave the file open
            self._file.close()
            raise
        self.resumed = self.size > 0
        """The bytes come from more than one response, or from an earlier process."""

    def _hash_existing(self) -> None:
        with self.path.open("rb") as existing:
            while data := existing.read(_CHUNK):
                self._digest.update(data)
                self.size += len(data)

    def _read_note(self) -> dict[str, str | None]:
        """The note beside the file; empty if it is missing or damaged, so that nothing is continued by it."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    @property
    def sha256(self) -> str:
        """The hash of the bytes so far."""
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Deletes all bytes."""
        self._file.truncate(0)
        self._digest = hashlib.sha256()
        self.size = 0
        self.resumed = False
        self.set_origin(None, None)

    def set_origin(self, origin: str | None, etag: str | None) -> None:
        """Notes on disk where the following bytes come from."""
        self.origin, self.etag = origin, etag
        self._note.write_text(json.dumps({"origin": origin, "etag": etag}), "utf-8")

    def append(self, data: bytes) -> None:
        """Adds bytes at the end."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def flush(self) -> None:
        """Makes all bytes visible to readers of `path`."""
        self._file.flush()

    def finish(self) -> None:
        """Gives the file its final name once all bytes are on disk."""
        self.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.path.replace(self._final)
        self._note.unlink(missing_ok=True)

    def close(self) -> None:
        """Keeps the bytes for a later download; an empty file is deleted."""
        self._file.close()
        if self.path.exists() and not self.path.stat().st_size:
            with contextlib.suppress(OSError):
                self.path.unlink()
                self._note.unlink(missing_ok=True)


def part_path(final: Path) -> Path:
    """Returns the path of the incomplete file. It keeps the final suffix, which says how to read the contents."""
    return final.with_name(f".partial-{final.name}")
