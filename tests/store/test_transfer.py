"""One source that misbehaves: resumed, retried or given up, and never a wrong or partial file."""

from __future__ import annotations

import random
import shutil
import socket
import threading
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from downloads import (
    BODY,
    KNOWN,
    OTHER,
    QUICK,
    STALLS,
    UNKNOWN,
    Notes,
    assert_whole,
    fails,
    fetch,
)
from hostile import Hostile, Reply, hostile

from gpen_fast.errors import DownloadError
from gpen_fast.store.download import download
from gpen_fast.store.mirror import Source
from gpen_fast.store.part import part_path
from gpen_fast.store.transfer import ExpectedFile, NullProgress, RetryPolicy


@pytest.mark.parametrize("expected", [KNOWN, UNKNOWN])
def test_broken_off_transfer_fetches_only_what_is_missing(
    server: Hostile, final: Path, expected: ExpectedFile
) -> None:
    server.replies = [Reply(stop=1_000_000), Reply(stop=700_000), Reply()]
    fetch(final, server, expected=expected)
    assert_whole(final)
    assert [request.start for request in server.requests] == [0, 1_000_000, 1_700_000]
    assert server.served == len(BODY)


def test_connections_dropped_at_random_points(server: Hostile, final: Path) -> None:
    points = random.Random(6)
    server.replies = [Reply(stop=points.randrange(1, 900_000)) for _ in range(12)]
    server.replies += [Reply()]
    many = RetryPolicy(connect_s=1, read_s=1, attempts=20, backoff_s=0.0001)
    download([Source(server.url)], final, KNOWN, NullProgress(), many)
    assert_whole(final)
    assert server.served == len(BODY)


def test_drops_with_headway_do_not_use_up_the_attempts(server: Hostile, final: Path) -> None:
    server.replies = [Reply(stop=1_000_001)] * 2 + [Reply(stop=10), Reply()]
    fetch(final, server)
    assert_whole(final)


def test_source_that_never_gets_further_is_given_up(server: Hostile, final: Path) -> None:
    """The server ignores ranges and drops at the same byte each time, so no attempt makes headway."""
    server.replies = [Reply(stop=1_500_000, ranges=False)]
    assert (
        f"{server.url}/file.pth: the connection was interrupted; 1500000 of 3000000 bytes received (3 attempts)"
        in fails(final, server)
    )
    assert len(server.requests) == 3


def test_reaching_the_same_point_again_is_no_headway(server: Hostile, final: Path) -> None:
    server.replies = [Reply(stop=stop, ranges=False) for stop in (500_000, 2_000_000) * 20]
    assert "(3 attempts)" in fails(final, server)
    assert len(server.requests) == 4


def test_server_that_ignores_ranges_starts_over(server: Hostile, final: Path) -> None:
    server.replies = [Reply(stop=500_000), Reply(ranges=False)]
    fetch(final, server)
    assert_whole(final)
    assert server.served == len(BODY) + 500_000


@pytest.mark.parametrize(
    "told",
    ["bytes 0-2999999/3000000", "bytes 500000-999999/3000000", "bytes 500001-2999999/3000000", "nonsense"],
)
def test_a_range_other_than_the_requested_one_is_not_appended(
    server: Hostile, final: Path, told: str
) -> None:
    server.replies = [Reply(stop=500_000), Reply(content_range=told), Reply()]
    fetch(final, server)
    assert_whole(final)
    assert [request.start for request in server.requests] == [0, 500_000, 0]


def test_a_range_that_was_not_requested_is_refused(server: Hostile, final: Path) -> None:
    server.replies = [Reply(status=206)]
    assert "206: the server sent a range, but the whole file was requested" in fails(final, server)


@pytest.mark.parametrize("expected", [KNOWN, UNKNOWN])
@pytest.mark.parametrize("honest", [True, False])
def test_file_that_changes_between_tries_is_never_a_mixture(
    server: Hostile, final: Path, expected: ExpectedFile, honest: bool
) -> None:
    """An honest server respects If-Range; the other one sends the rest of the new file with its new ETag."""
    first = Reply(body=OTHER, etag='"old"', stop=600_000)
    rest = Reply()
    server.replies = [first, rest, Reply()]
    if not honest:
        original = server.next_reply

        def ignore_if_range(request):
            request.headers.pop("if-range", None)
            return original(request)

        server.next_reply = ignore_if_range  # type: ignore[method-assign]
    fetch(final, server, expected=expected)
    assert_whole(final)
    if honest:
        assert len(server.requests) == 2, "If-Range spares a request"


@pytest.mark.parametrize("status", [403, 404, 410, 204, 304])
def test_refusals_are_not_repeated(server: Hostile, final: Path, status: int) -> None:
    server.replies = [Reply(status=status)]
    assert f"{server.url}/file.pth: {status} " in fails(final, server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_busy_servers_are_asked_again(server: Hostile, final: Path, status: int) -> None:
    server.replies = [Reply(status=status), Reply(status=status), Reply()]
    fetch(final, server)
    assert_whole(final)
    server.replies = [Reply(status=status)]
    final.unlink()
    assert f"{status} " in fails(final, server)
    assert len(server.requests) == 3 + 3


def test_retry_after_is_kept(server: Hostile, final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("gpen_fast.store.transfer.time.sleep", waits.append)
    soon = format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
    server.replies = [
        Reply(status=429, headers={"Retry-After": "0"}),
        Reply(status=503, headers={"Retry-After": soon}),
        Reply(),
    ]
    progress = Notes()
    fetch(final, server, progress=progress)
    assert waits == [0, 0]
    assert progress.notes[0].startswith("429 Too Many Requests: trying again in")
    server.replies = [Reply(status=429, headers={"Retry-After": "3600"})]
    final.unlink()
    assert "429 Too Many Requests, and the server asks to wait 3600 s" in fails(final, server)


def test_backoff_grows(server: Hostile, final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("gpen_fast.store.transfer.time.sleep", waits.append)
    server.replies = [Reply(status=503)]
    fails(final, server)
    assert 0.0075 <= waits[0] <= 0.0125 < 0.015 <= waits[1] <= 0.025
    assert len(waits) == QUICK.attempts - 1


def test_stalled_body_is_noticed_and_continued(server: Hostile, final: Path) -> None:
    server.replies = [Reply(stall=400_000), Reply()]
    progress = Notes()
    fetch(final, server, progress=progress, retry_policy=STALLS)
    assert_whole(final)
    assert server.served == len(BODY)
    assert progress.notes[0].startswith(
        "stalled: no bytes arrived for 0.3 s; 400000 of 3000000 bytes received: trying again in"
    )


def test_trickle_is_a_stall(final: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n")
            try:
                while True:
                    connection.sendall(b"x")
                    stop.wait(0.05)
            except OSError:
                pass

    stop = threading.Event()
    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    slow = RetryPolicy(connect_s=1, read_s=5, attempts=1, slow_s=0.3, slow_bytes=1000)
    with pytest.raises(DownloadError, match=r"stalled: \d+ bytes in 0\.3 s"):
        download(
            [Source(f"http://127.0.0.1:{listener.getsockname()[1]}/f")], final, KNOWN, NullProgress(), slow
        )
    listener.close()
    thread.join(5)


def test_redirects_are_followed_to_another_host_up_to_a_limit(final: Path) -> None:
    with hostile(BODY) as first, hostile(BODY) as second:
        first.replies = [Reply(status=302, headers={"Location": f"{second.url}/moved"})]
        fetch(final, first)
        assert_whole(final)
        assert second.requests[0].path == "/moved"
        final.unlink()
        first.replies = [Reply(status=302, headers={"Location": "/round"})]
        assert "too many redirects" in fails(final, first)
        first.replies = [Reply(status=302, headers={"Location": "file:///etc/hostname"})]
        assert "redirected to an address that is not http" in fails(final, first)


def test_resume_follows_the_redirect_again(final: Path) -> None:
    with hostile(BODY) as first, hostile(BODY) as second:
        first.replies = [Reply(status=302, headers={"Location": f"{second.url}/moved"})]
        second.replies = [Reply(stop=1_000_000), Reply()]
        fetch(final, first)
        assert_whole(final)
        assert second.served == len(BODY)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(length=len(BODY) + 5), "wrong size: 3000005 bytes, expected 3000000"),
        (Reply(length=1000), "wrong size: 1000 bytes, expected 3000000"),
        (Reply(body=BODY[:-1]), "wrong size: 2999999 bytes, expected 3000000"),
        (
            Reply(body=BODY[:-1], length=""),
            "the connection was interrupted; 2999999 of 3000000 bytes received",
        ),
        (Reply(body=BODY + b"x", length=""), "wrong size: more than 3000000 bytes arrived"),
        (Reply(body=b"<html>not found</html>"), "wrong size: 22 bytes, expected"),
    ],
)
def test_wrong_lengths(server: Hostile, final: Path, reply: Reply, words: str) -> None:
    server.replies = [reply]
    assert words in fails(final, server)
    if "expected" in words and "more" not in words:
        assert len(server.requests) == 1, "a wrong length will not mend itself"


def test_a_length_above_the_true_one_of_an_unknown_file(server: Hostile, final: Path) -> None:
    server.replies = [Reply(length=len(BODY) + 5)]
    assert "the connection was interrupted; 3000000 of 3000005 bytes received" in fails(
        final, server, expected=UNKNOWN
    )


def test_a_compressed_body_that_was_not_requested(server: Hostile, final: Path) -> None:
    server.replies = [Reply(zipped=True, stop=1_000_000), Reply(zipped=True, ranges=False)]
    fetch(final, server)
    assert_whole(final)
    final.unlink()
    server.replies = [Reply(zipped=True, stop=1_000_000), Reply(zipped=True)]
    fetch(final, server, expected=UNKNOWN)
    assert_whole(final)
    assert server.requests[-1].start == 0, "positions in a compressed body are not the file's"


def test_plain_http_may_carry_only_what_a_hash_protects(
    server: Hostile, final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)  # this machine answers for every other host
    far = [Source("http://weights.invalid/f")]
    with pytest.raises(
        DownloadError, match=r"plain http \(http://weights\.invalid/f\), and no hash is published"
    ):
        download(far, final, UNKNOWN, NullProgress(), QUICK)
    assert not final.exists()
    server.replies = [Reply(status=302, headers={"Location": "http://weights.invalid/f"}), Reply()]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DownloadError, match=r"plain http \(http://weights\.invalid/f\)"):
        download([Source(f"{server.url}/f")], final, UNKNOWN, NullProgress(), QUICK)


def test_a_full_disk_is_noticed_before_the_download(
    server: Hostile, final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(9, 0, 4_000_000))
    said = fails(final, server)
    assert f"{final.parent}: 3 MB are needed, 4 MB are free" in said
    assert "--weights-dir" in said
    assert not part_path(final).exists()


def test_host_that_does_not_exist(final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadError, match=r"the host's name is not found \(no network\?\)"):
        download([Source("https://weights.invalid/f")], final, KNOWN, NullProgress(), QUICK)


def test_proxy_of_the_environment_is_used(
    server: Hostile, final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    download([Source("http://weights.invalid/f")], final, KNOWN, NullProgress(), QUICK)
    assert_whole(final)
    assert server.requests[0].path == "http://weights.invalid/f"
