"""`GPEN_FAST_MIRROR`: replaces the published addresses by those of a mirror."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from gpen_fast.errors import SettingsError
from gpen_fast.store.catalog import CatalogEntry

MIRROR_VARIABLE = "GPEN_FAST_MIRROR"
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
_ACCEPTED = (
    "Accepted: a folder's address (https://mirror.example/weights, files under their own names), an address with "
    "{url} in it (https://proxy.example/{url}), or hosts (huggingface.co=hf-mirror.com, more after a comma)."
)
# Takes a published address and the file's name, and returns the address to use.
_Rewrite = Callable[[str, str], str]


@dataclass(frozen=True)
class Source:
    """An address that delivers a file."""

    url: str
    """The address to request, with the name and password that a mirror may need."""

    published: str | None = None
    """The catalog's address that a mirror replaces; None if no mirror does."""

    @property
    def shown(self) -> str:
        """The address without name and password."""
        return without_password(self.url)

    def __str__(self) -> str:
        """The address without name and password, and whether it is a mirror's."""
        return f"{self.shown} ({MIRROR_VARIABLE})" if self.published else self.shown


def without_password(text: str) -> str:
    """Removes names and passwords from the addresses in a text that is shown or stored."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def sources_of(known: CatalogEntry) -> list[Source]:
    """Returns the addresses of a file, mirrors applied, in the order to try them, each once.

    Raises:
        SettingsError: GPEN_FAST_MIRROR is malformed.
    """
    value = os.environ.get(MIRROR_VARIABLE, "").strip()
    rewrite = _parsed(value) if value else (lambda url, file: url)
    sources: dict[str, Source] = {}
    for url in known.sources:
        address = rewrite(url, known.file)
        sources.setdefault(address, Source(address, url if address != url else None))
    return list(sources.values())


def _parsed(value: str) -> _Rewrite:
    # An address, or a list of host=mirror.
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


def _prefix(value: str) -> _Rewrite:
    """The rewrite for one address: a folder's, or one with `{url}` in it."""
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
    """A published host and the base address that replaces it, from `host=mirror`."""
    host, equals, mirror = part.partition("=")
    scheme, _, rest = mirror.strip().rpartition("://")
    good = equals and _HOST.fullmatch(host.strip()) and scheme.lower() in {"", "http", "https"}
    if not good or not _HOST.fullmatch(rest.split("/")[0]):
        raise _malformed(part)
    return host.strip().lower(), f"{scheme or 'https'}://{rest.rstrip('/')}"


def _malformed(value: str) -> SettingsError:
    return SettingsError(f"{MIRROR_VARIABLE} {without_password(value)!r} is not understood. {_ACCEPTED}")
