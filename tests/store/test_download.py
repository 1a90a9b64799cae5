"""Downloads from servers that misbehave: never a wrong or partial file under its name."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from pathlib import Path

import pytest
from downloads import (
    BODY,
    KNOWN,
    OTHER,
    QUICK,
    SHA,
    STALLS,
    UNKNOWN,
    assert_whole,
    fails,
    fetch,
)
from hostile import Hostile, Reply, hostile

from gpen_fast.errors import DownloadError, HashError
from gpen_fast.store.download import download
from gpen_fast.store.mirror import Source
from gpen_fast.store.part import Part, part_path
from gpen_fast.store.transfer import ExpectedFile, NullProgress


@pytest.mark.parametrize("expected", [KNOWN, UNKNOWN])
def test_file_comes_whole(server: Hostile, final: Path, expected: ExpectedFile) -> None:
    assert fetch(final, server, expected=expected) == f"{server.url}/file.pth"
    assert_whole(final)
    assert "range" not in server.requests[0].headers
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_without_a_known_hash_only_the_same_source_and_etag_is_continued(final: Path) -> None:
    with hostile(BODY) as first, hostile(BODY) as second:
        first.replies = [Reply(stop=900_000), Reply(status=404)]
        fetch(final, first, second, expected=UNKNOWN)
        assert [request.start for request in second.requests] == [0]
        assert_whole(final)
        final.unlink()
        first.replies = [Reply(stop=900_000, etag='W/"weak"'), Reply(etag='W/"weak"')]
        fetch(final, first, expected=UNKNOWN)
        assert first.requests[-1].start == 0
        assert_whole(final)


def test_with_a_known_hash_another_source_goes_on(final: Path) -> None:
    with hostile(BODY) as first, hostile(BODY) as second:
        first.replies = [Reply(stop=900_000), Reply(status=503)]
        fetch(final, first, second)
        assert [request.start for request in second.requests] == [900_000]
        assert second.served == len(BODY) - 900_000
        assert_whole(final)


def test_wrong_bytes_are_refused_and_the_next_source_asked(final: Path) -> None:
    with hostile(OTHER) as first, hostile(BODY) as second:
        assert fetch(final, first, second).startswith(second.url)
        assert_whole(final)
        assert second.requests[0].start == 0, "wrong bytes were kept"
        final.unlink()
        said = fails(final, first)
        assert f"wrong bytes: sha256 {hashlib.sha256(OTHER).hexdigest()}, accepted is {SHA}" in said
        assert not part_path(final).exists()


def test_error_names_every_source_and_its_cause(final: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    with hostile(BODY) as one, hostile(OTHER) as two, hostile(BODY) as three:
        one.replies, three.replies = [Reply(status=404)], [Reply(stall=5)]
        sources = [Source(f"{server.url}/f") for server in (one, two, three)]
        sources += [Source(f"http://127.0.0.1:{closed}/f", "https://published.example/f")]
        with pytest.raises(DownloadError) as raised:
            download(sources, final, KNOWN, NullProgress(), STALLS)
    lines = str(raised.value).splitlines()
    assert lines[0] == "no source delivered file.pth:"
    assert lines[1] == f"  {one.url}/f: 404 Not Found"
    assert lines[2].startswith(f"  {two.url}/f: wrong bytes: sha256 ")
    assert lines[3].startswith(
        f"  {three.url}/f: stalled: no bytes arrived for 0.3 s; 15 of 3000000 bytes received"
    )
    assert lines[4] == f"  http://127.0.0.1:{closed}/f (GPEN_FAST_MIRROR): connection refused (2 attempts)"


def test_a_disk_that_fills_up_is_named_and_the_bytes_are_kept(
    server: Hostile, final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Part.append

    def full(self: Part, data: bytes) -> None:
        if self.size + len(data) > 1_000_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Part, "append", full)
        assert "the disk is full. Free some space" in fails(final, server)
    kept = part_path(final).stat().st_size
    assert 0 < kept <= 1_000_000
    fetch(final, server)
    assert_whole(final)
    assert server.requests[-1].start == kept


def test_folder_that_cannot_be_written(server: Hostile, tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("a file")
    said = fails_at(tmp_path / "weights/file.pth", server)
    assert "Name a writable folder with --weights-dir" in said
    assert not server.requests


def test_folder_without_permission(server: Hostile, final: Path) -> None:
    final.parent.mkdir(mode=0o500)
    root = os.geteuid() == 0
    if root:  # root may write anywhere
        os.seteuid(65534)
    try:
        said = fails_at(final, server)
    finally:
        if root:
            os.seteuid(0)
    assert f"{final.parent}: permission denied. Name a writable folder with --weights-dir" in said
    assert not server.requests


def fails_at(final: Path, server: Hostile) -> str:
    with pytest.raises(DownloadError) as raised:
        fetch(final, server)
    return str(raised.value)


def test_what_the_check_refuses_never_appears(server: Hostile, final: Path) -> None:
    def refuse(path: Path, sha256: str, source: Source) -> None:
        assert path.read_bytes() == BODY
        assert (sha256, source.url) == (SHA, server.url)
        raise HashError("no")

    with pytest.raises(HashError):
        download([Source(server.url)], final, UNKNOWN, NullProgress(), QUICK, refuse)
    assert list(final.parent.iterdir()) == []
