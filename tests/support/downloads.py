"""A file to download from misbehaving servers, and assertions about the result."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import Hostile

from gpen_fast.errors import DownloadError
from gpen_fast.store.download import download
from gpen_fast.store.mirror import Source
from gpen_fast.store.transfer import ExpectedFile, NullProgress, RetryPolicy

BODY = random.Random(4).randbytes(3_000_000)
SHA = hashlib.sha256(BODY).hexdigest()
# Another file of the same size.
OTHER = random.Random(5).randbytes(len(BODY))
QUICK = RetryPolicy(connect_s=5, read_s=5, attempts=3, backoff_s=0.01, longest_wait_s=0.5)
STALLS = replace(QUICK, read_s=0.3)
KNOWN = ExpectedFile(len(BODY), (SHA,))
UNKNOWN = ExpectedFile()


class Notes(NullProgress):
    """Records the messages to the user."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.begun: list[tuple[int, int | None]] = []

    def start(self, have: int, total: int | None) -> None:
        self.begun.append((have, total))

    def note(self, text: str) -> None:
        self.notes.append(text)


def fetch(
    final: Path,
    *servers: Hostile,
    expected: ExpectedFile = KNOWN,
    progress: NullProgress | None = None,
    retry_policy: RetryPolicy = QUICK,
) -> str:
    """Downloads from the servers, in order; returns the address that delivered the file."""
    sources = [Source(f"{server.url}/file.pth") for server in servers]
    return download(sources, final, expected, progress or NullProgress(), retry_policy).url


def assert_whole(final: Path) -> None:
    """Asserts that the file is complete and alone in its folder."""
    assert final.read_bytes() == BODY
    assert [path.name for path in final.parent.iterdir()] == [final.name], "something was left behind"


def fails(final: Path, *servers: Hostile, expected: ExpectedFile = KNOWN) -> str:
    """Asserts that the download fails and leaves no file; returns the error's text."""
    with pytest.raises(DownloadError) as raised:
        fetch(final, *servers, expected=expected)
    assert not final.exists()
    return str(raised.value)


def in_new_folder(final: Path) -> Path:
    """Creates the path's folder and returns the path."""
    final.parent.mkdir(parents=True)
    return final
