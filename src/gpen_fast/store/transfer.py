"""One source's tries at one file: resumed, repeated with back-off, hashed as it comes."""

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
    failure,
    judge,
    plain_hop,
)
from gpen_fast.store.mirror import Source, without_password
from gpen_fast.store.part import Part

_CHUNK = 1 << 20
_MB = 1_000_000
# Above what a file needs: its note, and what others write meanwhile.
_SPARE = 16 * _MB
# No weights are larger; ends a body whose length nobody told.
_LARGEST = 8_000 * _MB
# A try that brought this much did not fail for the same reason as the one before it.
_HEADWAY = _MB


@dataclass(frozen=True)
class RetryPolicy:
    """How long a source is waited for.

    attempts: without headway; unreachable: where nobody answers. longest_wait_s: the most that a server may ask for.

    slow_s: over so many seconds at least slow_bytes must come.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    attempts: int = 4
    unreachable: int = 2
    backoff_s: float = 1.0
    longest_wait_s: float = 60.0
    slow_s: float = 60.0
    slow_bytes: int = 64_000


@dataclass(frozen=True)
class Wanted:
    """What must come. bytes: None where nobody says. sha256: accepted ones; none where it will be pinned."""

    bytes: int | None = None
    sha256: tuple[str, ...] = ()


class DownloadProgress(Protocol):
    """What hears how a download gets on."""

    def begins(self, have: int, total: int | None) -> None:
        """Bytes begin to come: so many are there already, of so many."""

    def came(self, count: int) -> None:
        """So many bytes more."""

    def note(self, text: str) -> None:
        """Something a person would want to know."""


class NullProgress:
    """Hears and says nothing."""

    def begins(self, have: int, total: int | None) -> None:
        """Says nothing."""

    def came(self, count: int) -> None:
        """Says nothing."""

    def note(self, text: str) -> None:
        """Says nothing."""


class Transfer:
    """One source's tries at one file."""

    def __init__(
        self,
        session: requests.Session,
        source: Source,
        part: Part,
        wanted: Wanted,
        progress: DownloadProgress,
        retry_policy: RetryPolicy,
    ) -> None:
        self._session = session
        self._source = source
        self._part = part
        self._wanted = wanted
        self._progress = progress
        self._retry_policy = retry_policy

    def run(self) -> None:
        """Until the part is the file that is wanted. Raises RefusedError, or OSError for this machine's faults."""
        failed = restarted = 0
        furthest = self._part.size
        while True:
            try:
                return self._attempt()
            except RestartError as cause:
                self._part.restart()
                restarted += 1
                self._give_up(restarted >= self._retry_policy.attempts, restarted, cause)
            except RetryError as cause:
                headway = self._part.size - furthest >= _HEADWAY
                furthest = max(furthest, self._part.size)
                failed = 1 if headway else failed + 1
                nobody = isinstance(cause, UnreachableError) and failed >= self._retry_policy.unreachable
                self._give_up(nobody or failed >= self._retry_policy.attempts, failed, cause)
                self._pause(cause, failed)

    def _give_up(self, enough: bool, tries: int, cause: Exception) -> None:
        if enough:
            raise RefusedError(f"{cause}" + (f" ({tries} tries)" if tries > 1 else ""))

    def _pause(self, cause: RetryError, failed: int) -> None:
        wait = self._wait(cause, failed)
        self._progress.note(f"{cause}: again in {wait:.0f} s")
        time.sleep(wait)

    def _wait(self, cause: RetryError, failed: int) -> float:
        """What the server asks for, else exponential back-off with jitter."""
        if cause.wait is None:
            return self._retry_policy.backoff_s * 2 ** (failed - 1) * random.uniform(0.75, 1.25)
        if cause.wait > self._retry_policy.longest_wait_s:
            raise RefusedError(f"{cause}, and asks to wait {cause.wait:.0f} s")
        return cause.wait

    def _attempt(self) -> None:
        part = self._part
        if not self._may_continue():
            part.restart()
        if part.size == 0 or part.size != self._wanted.bytes:
            self._ask()
        if self._wanted.sha256 and part.sha256 not in self._wanted.sha256:
            found, resumed = part.sha256, part.taken_up
            part.restart()
            if resumed:  # the fault may lie in what was there before
                raise RestartError(f"wrong bytes after resuming: sha256 {found}")
            raise RefusedError(f"wrong bytes: sha256 {found}, accepted is {' or '.join(self._wanted.sha256)}")

    def _may_continue(self) -> bool:
        """With a known hash from any source; else only the very same file, by its strong ETag."""
        part = self._part
        if self._wanted.bytes is not None and part.size > self._wanted.bytes:
            return False
        if part.size == 0 or self._wanted.sha256:
            return True
        return part.origin == self._source.url and part.etag is not None

    def _ask(self) -> None:
        part, retry_policy = self._part, self._retry_policy
        headers = {"Accept-Encoding": "identity"}  # positions in a compressed body are not the file's
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
            if part.origin == self._source.url and part.etag:
                headers["If-Range"] = part.etag
        try:
            response = self._session.get(
                self._source.url,
                headers=headers,
                stream=True,
                timeout=(retry_policy.connect_s, retry_policy.read_s),
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise failure(error, retry_policy.connect_s, retry_policy.read_s) from error
        with response:
            self._take(response, judge(response, part.size))

    def _take(self, response: requests.Response, answer: Answer) -> None:
        part = self._part
        self._refuse_what_cannot_be_it(response, answer)
        same_source = part.origin == self._source.url
        if answer.start and same_source and part.etag and answer.etag not in (None, part.etag):
            raise RestartError("the file has changed since its first part came")
        if answer.start:
            part.taken_up = True
        else:
            part.restart()
        total = self._wanted.bytes or answer.total
        self._check_space(total)
        part.begin(self._source.url, answer.etag)
        self._progress.begins(part.size, total)
        try:
            self._copy(response)
        except RetryError as cause:
            raise RetryError(f"{cause}; {part.size} of {total or '?'} bytes had come") from cause
        if total is not None and part.size < total:
            raise RetryError(f"the connection broke off; {part.size} of {total} bytes had come")

    def _refuse_what_cannot_be_it(self, response: requests.Response, answer: Answer) -> None:
        plain = None if self._wanted.sha256 else plain_hop(response)
        if plain:
            raise RefusedError(
                f"plain http ({without_password(plain)}), and nobody publishes a hash to check the file by: use https"
            )
        if self._wanted.bytes is not None and answer.total not in (None, self._wanted.bytes):
            raise RefusedError(f"wrong length: {answer.total} bytes there, {self._wanted.bytes} expected")

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
        part, most = self._part, self._wanted.bytes or _LARGEST
        pace = _Pace(self._retry_policy)
        while data := self._next(response):
            part.append(data)
            self._progress.came(len(data))
            if part.size > most:
                part.restart()
                raise RefusedError(f"more than the {most} bytes expected came")
            pace.check(len(data))

    def _next(self, response: requests.Response) -> bytes:
        try:
            # read1 gives what is there, so that a trickle is seen as one.
            data: bytes = response.raw.read1(_CHUNK, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise failure(error, self._retry_policy.connect_s, self._retry_policy.read_s) from error
        return data


class _Pace:
    """Notices a body that only trickles."""

    def __init__(self, retry_policy: RetryPolicy) -> None:
        self._retry_policy = retry_policy
        self._since = time.monotonic()
        self._bytes = 0

    def check(self, count: int) -> None:
        """Counts; RetryError where too little came in too long."""
        self._bytes += count
        if time.monotonic() - self._since < self._retry_policy.slow_s:
            return
        if self._bytes < self._retry_policy.slow_bytes:
            raise RetryError(f"stalled: {self._bytes} bytes in {self._retry_policy.slow_s:g} s")
        self._since, self._bytes = time.monotonic(), 0
