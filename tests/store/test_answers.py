"""Responses and failures: which hops are safe, and which causes are worth another attempt."""

from __future__ import annotations

import ssl
from types import SimpleNamespace

import pytest
import requests
import urllib3

from gpen_fast.store.answers import (
    RefusedError,
    RetryError,
    UnreachableError,
    classify_failure,
    plain_http_hop,
)


@pytest.mark.parametrize(
    ("way", "plain"),
    [
        (["https://a.example/f"], None),
        (["https://a.example/f", "https://b.example/f"], None),
        (["http://127.0.0.1:80/f", "http://localhost/f", "http://[::1]/f"], None),
        (["http://a.example/f"], "http://a.example/f"),
        (["http://a.example/f", "https://b.example/f"], "http://a.example/f"),
        (["https://a.example/f", "http://b.example/f", "https://c.example/f"], "http://b.example/f"),
        (["https://a.example/f", "http://127.0.0.1.b.example/f"], "http://127.0.0.1.b.example/f"),
    ],
)
def test_one_http_hop_makes_the_whole_chain_insecure(way: list[str], plain: str | None) -> None:
    steps = [SimpleNamespace(url=url, history=[]) for url in way]
    steps[-1].history = steps[:-1]
    assert plain_http_hop(steps[-1]) == plain


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (caused(requests.exceptions.SSLError(), ssl.SSLError(1, "certificate expired")), RefusedError,
         "no secure connection (certificate expired)"),
        (requests.exceptions.ProxyError("x"), UnreachableError, "the proxy cannot be reached or refuses"),
        (requests.exceptions.ConnectTimeout("x"), UnreachableError, "no connection within 4 s"),
        (requests.exceptions.ReadTimeout("x"), RetryError, "stalled: no bytes arrived for 9 s"),
        (caused(requests.exceptions.ConnectionError(), ConnectionResetError(104, "Connection reset by peer")),
         RetryError, "connection reset by peer"),
        (urllib3.exceptions.ProtocolError("x"), RetryError, "the connection was interrupted"),
        (urllib3.exceptions.DecodeError("x"), RetryError, "the connection was interrupted"),
    ],
)  # fmt: skip
def test_each_failure_names_its_cause_and_whether_to_retry(
    error: Exception, kind: type[Exception], words: str
) -> None:
    told = classify_failure(error, 4, 9)
    assert type(told) is kind
    assert words in str(told)
