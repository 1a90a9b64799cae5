"""One line of a journal: a picture, what it became, and what identifies both files. Imports no torch."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from gpen_fast.files import sha256_of_file

# Half the time of `json.loads`, which looks for white space around each line first.
_raw_decode = json.JSONDecoder().raw_decode
RecordedOutcome = Literal["restored", "no_face", "failed", "adopted"]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What tells whether a file is still the same."""

    size: int
    """Bytes."""

    mtime_ns: int
    """Time of the last change, nanoseconds since 1970."""

    sha256: str = ""
    """64 hexadecimal digits; empty where the content was not read."""

    def fits(self, path: str | Path, status: os.stat_result) -> bool:
        """Whether a file is this one: by size and time, and where only the time differs by its content.

        Args:
            path: The file. It is read only if its size is right, its time is not, and the hash is known.
            status: What `os.stat` says of it.

        Raises:
            OSError: The file has to be read and cannot be.
        """
        if status.st_size != self.size:
            return False
        if status.st_mtime_ns == self.mtime_ns or not self.sha256:
            return True
        return sha256_of_file(Path(path)) == self.sha256

    def at(self, status: os.stat_result) -> FileFacts:
        """The same content with the time that the file has now: it need not be read the next time."""
        return self if status.st_mtime_ns == self.mtime_ns else replace(self, mtime_ns=status.st_mtime_ns)


def facts_of(status: os.stat_result, sha256: str = "") -> FileFacts:
    """The facts of a file from what `os.stat` says of it."""
    return FileFacts(status.st_size, status.st_mtime_ns, sha256)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """What became of one picture in one run."""

    target: str
    """The result's path below the journal's folder, with `/` between its parts."""

    source: str
    """The picture's absolute path."""

    input: FileFacts
    """The picture's file, as it was read."""

    output: FileFacts | None
    """The result's file; None for a picture that failed."""

    settings: str
    """Identifies the settings; empty for a result that was adopted."""

    outcome: RecordedOutcome
    """What became of it."""

    faces_saved: bool = False
    """Its faces were written beside the result."""

    error: str = ""
    """Why it failed."""

    time_ns: int = 0
    """When the row was written, nanoseconds since 1970."""

    def line(self) -> bytes:
        """The row as a line of the file. It begins with the line break, so that a torn line before it spoils no row."""
        values = {
            "target": self.target,
            "source": self.source,
            "input": _listed(self.input),
            "output": _listed(self.output),
            "settings": self.settings,
            "outcome": self.outcome,
            "faces_saved": self.faces_saved,
            "error": self.error,
            "time_ns": self.time_ns,
        }
        return b"\n" + json.dumps(values, separators=(",", ":")).encode()


def parsed(line: str) -> JournalRow | None:
    """The row of a line; None for a line that holds none, such as one that a full disk cut short."""
    try:
        line = line.strip()
        values, end = _raw_decode(line)
        if end < len(line):
            return None
        source, given = values["input"], values["output"]
        return JournalRow(
            str(values["target"]),
            str(values["source"]),
            FileFacts(int(source[0]), int(source[1]), str(source[2])),
            FileFacts(int(given[0]), int(given[1]), str(given[2])) if given else None,
            str(values["settings"]),
            cast("RecordedOutcome", str(values["outcome"])),
            bool(values["faces_saved"]),
            str(values["error"]),
            int(values["time_ns"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _listed(facts: FileFacts | None) -> list[object] | None:
    return [facts.size, facts.mtime_ns, facts.sha256] if facts else None
