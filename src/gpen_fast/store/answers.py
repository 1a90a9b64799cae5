"""Interprets a server's response: where its bytes belong in the file, whether to retry, and what went wrong.

Range requests follow RFC 9110, sections 13.1.5 (If-Range), 14 (ranges) and 15 (status codes).
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

# Statuses of a server that may deliver the file later: timeouts, rate limits, and gateway errors.
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class RefusedError(Exception):
    """This source does not deliver the file; another one may."""


class RetryError(Exception):
    """This source may deliver the file if it is asked again."""

    def __init__(self, cause: str, wait: float | None = None) -> None:
        super().__init__(cause)
        self.wait = wait
        """Seconds that the server asks to wait; None if it does not say."""


class UnreachableError(RetryError):
    """The server does not respond."""


class RestartError(Exception):
    """The bytes so far cannot be continued: the download must restart from the first byte, without a wait."""


@dataclass(frozen=True)
class Answer:
    """A response whose body can be stored."""

    start: int
    """Offset in the file, in bytes, of the body's first byte."""

    total: int | None
    """Size of the whole file in bytes; None if the server does not say."""

    etag: str | None
    """The file's strong ETag; None if the server sends none, or a weak one."""


def interpret(response: requests.Response, asked_from: int) -> Answer:
    """Reads the status line and the headers of a response.

    Args:
        response: The response, its body unread.
        asked_from: Offset in bytes that the request's Range header named; 0 for a request of the whole file.

    Returns:
        Where the body belongs in the file.

    Raises:
        RefusedError: The server does not deliver the file.
        RetryError: The server is busy.
        RestartError: The response does not continue the file at `asked_from`.
    """
    if response.status_code in _BUSY:
        raise RetryError(_status(response), _retry_after(response))
    if response.status_code == 416 and asked_from:
        raise RestartError("416: the requested range does not exist")
    if response.status_code not in {200, 206}:
        raise RefusedError(_status(response))
    encoded = response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}
    etag = response.headers.get("ETag")
    # A weak ETag (W/"...") allows different bytes, so it cannot prove that a range continues the same file.
    strong = etag if etag and etag.startswith('"') else None
    if response.status_code == 200:
        return Answer(0, None if encoded else _length(response), strong)
    return Answer(asked_from, _total_of_range(response, asked_from, encoded), strong)


def _total_of_range(response: requests.Response, asked_from: int, encoded: bool) -> int | None:
    """The whole file's size, from a 206 response that must begin at `asked_from` and reach the file's end."""
    header = response.headers.get("Content-Range", "")
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if not asked_from:
        raise RefusedError("206: the server sent a range, but the whole file was requested")
    if encoded or not match or int(match[1]) != asked_from:
        raise RestartError(f"206: Content-Range {header!r}, requested from {asked_from}")
    total = None if match[3] == "*" else int(match[3])
    if total is not None and int(match[2]) + 1 != total:
        raise RestartError(f"206: Content-Range {header!r} ends before the file does")
    return total


def _length(response: requests.Response) -> int | None:
    header = response.headers.get("Content-Length", "")
    return int(header) if header.isdecimal() else None


def _status(response: requests.Response) -> str:
    return f"{response.status_code} {response.reason or ''}".strip()


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from a Retry-After header that holds a number or a date."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def plain_http_hop(response: requests.Response) -> str | None:
    """Returns the first address, redirects included, whose answer could be changed on the way.

    That is an address with plain http on another machine. None if every hop is https or on this machine.
    """
    for hop in (*response.history, response):
        parts = urlsplit(hop.url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            return hop.url
    return None


def classify_failure(error: Exception, connect_s: float, read_s: float) -> RetryError | RefusedError:
    """Names the cause of a failed request or a broken body, and decides whether to retry.

    Args:
        error: What requests or urllib3 raised.
        connect_s: The connection timeout in seconds, for the text.
        read_s: The read timeout in seconds, for the text.

    Returns:
        The error to raise: a RetryError if another attempt may succeed, else a RefusedError.
    """
    # The most specific cause comes first: a TLS error is an OSError too.
    causes = list(_chain(error))
    if isinstance(error, requests.TooManyRedirects):
        return RefusedError("too many redirects")
    if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL):
        return RefusedError(f"redirected to an address that is not http ({error})")
    if _any(causes, ssl.SSLError):
        return RefusedError(f"no secure connection ({_words(causes, ssl.SSLError)})")
    if _any(causes, urllib3.exceptions.ProxyError, requests.exceptions.ProxyError):
        return UnreachableError("the proxy cannot be reached or refuses the connection")
    if _any(causes, socket.gaierror, urllib3.exceptions.NameResolutionError):
        return UnreachableError("the host's name is not found (no network?)")
    system = [cause for cause in causes if isinstance(cause, OSError) and cause.strerror]
    if system:
        unreachable = _any(causes, urllib3.exceptions.NewConnectionError)
        return (UnreachableError if unreachable else RetryError)((system[0].strerror or "").lower())
    if _any(causes, requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        return UnreachableError(f"no connection within {connect_s:g} s")
    if _any(causes, requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return RetryError(f"stalled: no bytes arrived for {read_s:g} s")
    return RetryError("the connection was interrupted")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, its arguments and its causes: requests wraps urllib3's errors, which wrap the system's."""
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
