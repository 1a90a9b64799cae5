"""What a server's answer means for a download: where its bytes belong, whether to try again, what went wrong.

Range requests by RFC 9110, sections 13.1.5 (If-Range), 14 (ranges) and 15.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3

from gpen_fast.errors import first_line

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class RefusedError(Exception):
    """This source does not give the file; another may."""


class RetryError(Exception):
    """This source may give it at another try. wait: seconds it asks for."""

    def __init__(self, cause: str, wait: float | None = None) -> None:
        super().__init__(cause)
        self.wait = wait


class UnreachableError(RetryError):
    """Nobody answers at that address."""


class RestartError(Exception):
    """What came so far cannot be continued: from the beginning, at once."""


@dataclass(frozen=True)
class Answer:
    """A usable answer. start: where its first byte belongs. total: bytes of the whole file, None where unknown.

    etag: a strong one, else None.
    """

    start: int
    total: int | None
    etag: str | None


def judge(response: requests.Response, asked_from: int) -> Answer:
    """Reads status line and headers. Raises RefusedError, RetryError or RestartError."""
    if response.status_code in _BUSY:
        raise RetryError(_status(response), _retry_after(response))
    if response.status_code == 416 and asked_from:
        raise RestartError("416: the part that was asked for does not exist")
    if response.status_code not in {200, 206}:
        raise RefusedError(_status(response))
    encoded = response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}
    etag = response.headers.get("ETag")
    strong = etag if etag and etag.startswith('"') else None
    if response.status_code == 200:
        return Answer(0, None if encoded else _length(response), strong)
    return Answer(asked_from, _part_of(response, asked_from, encoded), strong)


def _part_of(response: requests.Response, asked_from: int, encoded: bool) -> int | None:
    """The whole file's size, by an answer that must begin at `asked_from` and reach the end."""
    told = response.headers.get("Content-Range", "")
    found = _CONTENT_RANGE.fullmatch(told.strip())
    if not asked_from:
        raise RefusedError("206: a part of the file, and all of it was asked for")
    if encoded or not found or int(found[1]) != asked_from:
        raise RestartError(f"206: Content-Range {told!r}, asked for from {asked_from}")
    total = None if found[3] == "*" else int(found[3])
    if total is not None and int(found[2]) + 1 != total:
        raise RestartError(f"206: Content-Range {told!r} ends before the file does")
    return total


def _length(response: requests.Response) -> int | None:
    told = response.headers.get("Content-Length", "")
    return int(told) if told.isdecimal() else None


def _status(response: requests.Response) -> str:
    return f"{response.status_code} {response.reason or ''}".strip()


def _retry_after(response: requests.Response) -> float | None:
    """Seconds, from a number or a date."""
    told = response.headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def plain_hop(response: requests.Response) -> str | None:
    """The first address of the answer's way that anybody between could have changed: http, not on this machine."""
    for step in (*response.history, response):
        parts = urlsplit(step.url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            return step.url
    return None


def failure(error: Exception, connect_s: float, read_s: float) -> RetryError | RefusedError:
    """A failed request or a broken body, in words, and whether another try may help."""
    causes = list(_chain(error))
    if isinstance(error, requests.TooManyRedirects):
        return RefusedError("redirects that do not end")
    if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL):
        return RefusedError(f"redirected to an address that is not http ({error})")
    if _any(causes, ssl.SSLError):
        return RefusedError(f"no secure connection ({_words(causes, ssl.SSLError)})")
    if _any(causes, urllib3.exceptions.ProxyError, requests.exceptions.ProxyError):
        return UnreachableError("the proxy cannot be reached or lets nothing through")
    if _any(causes, socket.gaierror, urllib3.exceptions.NameResolutionError):
        return UnreachableError("the host's name is not found (no network?)")
    system = [cause for cause in causes if isinstance(cause, OSError) and cause.strerror]
    if system:
        unreachable = _any(causes, urllib3.exceptions.NewConnectionError)
        return (UnreachableError if unreachable else RetryError)((system[0].strerror or "").lower())
    if _any(causes, requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        return UnreachableError(f"no connection within {connect_s:g} s")
    if _any(causes, requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return RetryError(f"stalled: nothing came for {read_s:g} s")
    return RetryError("the connection broke off")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what it carries and what it came from: requests wraps urllib3's, which wraps the system's."""
    seen: list[BaseException] = []
    rest = [error]
    while rest:
        one = rest.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            rest += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _any(causes: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _words(causes: list[BaseException], kind: type[BaseException]) -> str:
    return first_line(next(cause for cause in causes if isinstance(cause, kind)))
