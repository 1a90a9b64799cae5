"""`GPEN_FAST_MIRROR`: other addresses for the published ones."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from gpen_fast.errors import SettingsError
from gpen_fast.store.catalog import Entry

MIRROR_VARIABLE = "GPEN_FAST_MIRROR"
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
_ACCEPTED = (
    "Accepted: a folder's address (https://mirror.example/weights, files under their own names), an address with "
    "{url} in it (https://proxy.example/{url}), or hosts (huggingface.co=hf-mirror.com, more after a comma)."
)


@dataclass(frozen=True)
class Source:
    """Where a file can be had. published: the catalog's address where a mirror stands in for it."""

    url: str
    published: str | None = None

    @property
    def shown(self) -> str:
        """The address without the name and password that a mirror may need."""
        return without_password(self.url)

    def __str__(self) -> str:
        """The address for people, and whether a mirror stands in."""
        return f"{self.shown} ({MIRROR_VARIABLE})" if self.published else self.shown


def without_password(text: str) -> str:
    """Addresses as they may be shown and kept."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def sources_of(entry: Entry) -> list[Source]:
    """The addresses to try, in order, each once. Raises SettingsError for a malformed GPEN_FAST_MIRROR."""
    value = os.environ.get(MIRROR_VARIABLE, "").strip()
    rewrite = _parsed(value) if value else (lambda url, file: url)
    found: dict[str, Source] = {}
    for url in entry.sources:
        instead = rewrite(url, entry.file)
        found.setdefault(instead, Source(instead, url if instead != url else None))
    return list(found.values())


def _parsed(value: str) -> Callable[[str, str], str]:
    if re.match(r"https?://", value, re.IGNORECASE):
        return _prefix(value)
    hosts = dict(_pair(part.strip()) for part in value.split(",") if part.strip())
    if not hosts:
        raise _malformed(value)

    def rewrite(url: str, file: str) -> str:
        parts = urlsplit(url)
        base = hosts.get(parts.netloc)
        return url if base is None else base + url[len(f"{parts.scheme}://{parts.netloc}") :]

    return rewrite


def _prefix(value: str) -> Callable[[str, str], str]:
    try:
        host = urlsplit(value).netloc
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host.rpartition("@")[2]) or value.replace("{url}", "").count("{"):
        raise _malformed(value)
    if "{url}" in value:
        return lambda url, file: value.replace("{url}", url)
    return lambda url, file: f"{value.rstrip('/')}/{file}"


def _pair(part: str) -> tuple[str, str]:
    host, equals, instead = part.partition("=")
    scheme, _, rest = instead.strip().rpartition("://")
    good = equals and _HOST.fullmatch(host.strip()) and scheme.lower() in {"", "http", "https"}
    if not good or not _HOST.fullmatch(rest.split("/")[0]):
        raise _malformed(part)
    return host.strip().lower(), f"{scheme or 'https'}://{rest.rstrip('/')}"


def _malformed(value: str) -> SettingsError:
    return SettingsError(f"{MIRROR_VARIABLE} {without_password(value)!r} is not understood. {_ACCEPTED}")
