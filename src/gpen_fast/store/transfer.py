"""One source's attempts to deliver one file: resumed, retried with back-off, hashed as the bytes arrive."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass
from typing import Protocol

import requests
import urllib3

from gpen_fast.errors import DownloadError
from gpen_fast.store.answers import (
    Answer,
    RefusedError,
    RestartError,
    RetryError,
    UnreachableError,
    classify_failure,
    interpret,
    plain_http_hop,
)
from gpen_fast.store.mirror import Source, without_password
from gpen_fast.store.part import Part

# Bytes that are read at a time, at most.
_CHUNK = 1 << 20
_MB = 1_000_000
# Bytes that must stay free beyond the file's size: for its note, and for what other programs write meanwhile.
_SPARE = 16 * _MB
# Bytes. It bounds a body whose length the server does not say; known weights have some 0.3 GB.
_LARGEST = 8_000 * _MB
# Bytes. An attempt that brought this many did not fail for the reason of the attempt before it, so it starts the count
# of failed attempts anew.
_HEADWAY = _MB


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long one source is tried."""

    connect_s: float = 10.0
    """Seconds to wait for a connection."""

    read_s: float = 30.0
    """Seconds to wait for the next bytes."""

    attempts: int = 4
    """Attempts in a row without headway."""

    unreachable: int = 2
    """Attempts in a row if the server does not respond."""

    backoff_s: float = 1.0
    """Seconds to wait after the first failed attempt; each further wait is twice as long."""

    longest_wait_s: float = 60.0
    """Seconds that a server may ask to wait; a source that asks for more is given up."""

    slow_s: float = 60.0
    """Seconds over which the speed is measured."""

    slow_bytes: int = 64_000
    """Bytes that must arrive within `slow_s`; a slower transfer counts as stalled."""


@dataclass(frozen=True)
class ExpectedFile:
    """What is known of a file before its download."""

    bytes: int | None = None
    """Exact size; None if it is not published."""

    sha256: tuple[str, ...] = ()
    """Accepted hashes; none if no hash is published and the first download is pinned."""


class DownloadProgress(Protocol):
    """Receives the progress of a download."""

    def start(self, have: int, total: int | None) -> None:
        """A response's body begins.

        Args:
            have: Bytes that earlier attempts left.
            total: Bytes of the whole file; None if it is not known.
        """

    def advance(self, count: int) -> None:
        """`count` more bytes arrived."""

    def note(self, text: str) -> None:
        """Something happened that the user should know, in one line."""


class NullProgress:
    """Ignores the progress of a download."""

    def start(self, have: int, total: int | None) -> None:
        """Does nothing."""

    def advance(self, count: int) -> None:
        """Does nothing."""

    def note(self, text: str) -> None:
        """Does nothing."""


class Transfer:
    """Downloads one file from one source.

    Args:
        session: The connection pool, with its headers.
        source: The address.
        part: The incomplete file, which may hold bytes of earlier attempts or sources.
        expected: The file's size and hash, as far as they are known.
        progress: Receives the bytes as they arrive.
        retry_policy: How often and how long the source is tried.
    """

    def __init__(
        self,
        session: requests.Session,
        source: Source,
        part: Part,
        expected: ExpectedFile,
        progress: DownloadProgress,
        retry_policy: RetryPolicy,
    ) -> None:
        self._session = session
        self._source = source
        self._part = part
        self._expected = expected
        self._progress = progress
        self._policy = retry_policy

    def run(self) -> None:
        """Downloads until the part is the whole expected file.

        Raises:
            RefusedError: The source does not deliver the file.
            OSError: The bytes cannot be stored on this machine.
        """
        failed = restarted = 0
        furthest = self._part.size
        while True:
            try:
                return self._attempt()
            except RestartError as cause:
                self._part.restart()
                restarted += 1
                self._give_up_if(restarted >= self._policy.attempts, restarted, cause)
            except RetryError as cause:
                headway = self._part.size - furthest >= _HEADWAY
                furthest = max(furthest, self._part.size)
                failed = 1 if headway else failed + 1
                unreachable = isinstance(cause, UnreachableError) and failed >= self._policy.unreachable
                self._give_up_if(unreachable or failed >= self._policy.attempts, failed, cause)
                self._pause(cause, failed)

    def _give_up_if(self, enough: bool, attempts: int, cause: Exception) -> None:
        if enough:
            raise RefusedError(f"{cause}" + (f" ({attempts} attempts)" if attempts > 1 else ""))

    def _pause(self, cause: RetryError, failed: int) -> None:
        wait = self._wait_s(cause, failed)
        self._progress.note(f"{cause}: trying again in {wait:.0f} s")
        time.sleep(wait)

    def _wait_s(self, cause: RetryError, failed: int) -> float:
        """Seconds to wait: what the server asks for, else exponential back-off with jitter."""
        if cause.wait is None:
            return self._policy.backoff_s * 2 ** (failed - 1) * random.uniform(0.75, 1.25)
        if cause.wait > self._policy.longest_wait_s:
            raise RefusedError(f"{cause}, and the server asks to wait {cause.wait:.0f} s")
        return cause.wait

    def _attempt(self) -> None:
        part = self._part
        if not self._may_continue():
            part.restart()
        if part.size == 0 or part.size != self._expected.bytes:
            self._request()
        if self._expected.sha256 and part.sha256 not in self._expected.sha256:
            found, resumed = part.sha256, part.resumed
            part.restart()
            if resumed:  # the bytes of an earlier attempt may be the wrong ones
                raise RestartError(f"wrong bytes after resuming: sha256 {found}")
            raise RefusedError(
                f"wrong bytes: sha256 {found}, accepted is {' or '.join(self._expected.sha256)}"
            )

    def _may_continue(self) -> bool:
        """Whether the next bytes may be appended.

        With a known hash they may come from any source, since the hash exposes a mixture of two files. Without one they
        must belong to the same file of the same source, which only a strong ETag proves.
        """
        part = self._part
        if self._expected.bytes is not None and part.size > self._expected.bytes:
            return False
        if part.size == 0 or self._expected.sha256:
            return True
        return part.origin == self._source.url and part.etag is not None

    def _request(self) -> None:
        part, policy = self._part, self._policy
        headers = {"Accept-Encoding": "identity"}  # offsets in a compressed body are not offsets in the file
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
            if part.origin == self._source.url and part.etag:
                headers["If-Range"] = part.etag
        try:
            response = self._session.get(
                self._source.url, headers=headers, stream=True, timeout=(policy.connect_s, policy.read_s)
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise classify_failure(error, policy.connect_s, policy.read_s) from error
        with response:
            self._store(response, interpret(response, part.size))

    def _store(self, response: requests.Response, answer: Answer) -> None:
        part = self._part
        self._refuse_mismatch(response, answer)
        same_source = part.origin == self._source.url
        if answer.start and same_source and part.etag and answer.etag not in (None, part.etag):
            raise RestartError("the file has changed since its first bytes arrived")
        if answer.start:
            part.resumed = True
        else:
            part.restart()
        total = self._expected.bytes or answer.total
        self._check_space(total)
        part.set_origin(self._source.url, answer.etag)
        self._progress.start(part.size, total)
        try:
            self._copy(response)
        except RetryError as cause:
            raise RetryError(f"{cause}; {part.size} of {total or '?'} bytes received") from cause
        if total is not None and part.size < total:
            raise RetryError(f"the connection was interrupted; {part.size} of {total} bytes received")

    def _refuse_mismatch(self, response: requests.Response, answer: Answer) -> None:
        """Raises RefusedError if the response cannot be the expected file, or could be forged without notice."""
        plain = None if self._expected.sha256 else plain_http_hop(response)
        if plain:
            raise RefusedError(
                f"plain http ({without_password(plain)}), and no hash is published to verify the file: use https"
            )
        if self._expected.bytes is not None and answer.total not in (None, self._expected.bytes):
            raise RefusedError(f"wrong size: {answer.total} bytes, expected {self._expected.bytes}")

    def _check_space(self, total: int | None) -> None:
        folder = self._part.path.parent
        missing = (total or 0) - self._part.size
        free = shutil.disk_usage(folder).free
        if missing + _SPARE > free:
            raise DownloadError(
                f"{folder}: {missing / _MB:.0f} MB are needed, {free / _MB:.0f} MB are free. "
                "Free some space, or name another folder with --weights-dir."
            )

    def _copy(self, response: requests.Response) -> None:
        part, most = self._part, self._expected.bytes or _LARGEST
        speed = _Speed(self._policy)
        while data := self._next(response):
            part.append(data)
            self._progress.advance(len(data))
            if part.size > most:
                part.restart()
                raise RefusedError(f"wrong size: more than {most} bytes arrived")
            speed.check(len(data))

    def _next(self, response: requests.Response) -> bytes:
        try:
            # read1 returns the bytes that are there; read would block until the chunk is full and hide a trickle.
            data: bytes = response.raw.read1(_CHUNK, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise classify_failure(error, self._policy.connect_s, self._policy.read_s) from error
        return data


class _Speed:
    """Detects a body that trickles: the read timeout does not, because each byte starts it anew."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._since = time.monotonic()
        self._bytes = 0

    def check(self, count: int) -> None:
        """Counts bytes; raises RetryError if too few arrived in the last `slow_s` seconds."""
        self._bytes += count
        if time.monotonic() - self._since < self._policy.slow_s:
            return
        if self._bytes < self._policy.slow_bytes:
            raise RetryError(f"stalled: {self._bytes} bytes in {self._policy.slow_s:g} s")
        self._since, self._bytes = time.monotonic(), 0
