"""The catalog of known weights, read from `weights/catalog.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gpen_fast.errors import SettingsError, StoreError, did_you_mean
from gpen_fast.store.shipped import shipped

KINDS = ("generator", "detector", "landmarks", "parser")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MB = 1_000_000


@dataclass(frozen=True)
class Licence:
    """The terms of a weights file."""

    key: str
    """Its name in the catalog, under which the user's acceptance is recorded."""

    short: str
    """A few words for a table."""

    sentence: str
    """What the user may and may not do."""

    ask: bool = False
    """The user must accept it before the first download."""


@dataclass(frozen=True)
class CatalogEntry:
    """One known weights file."""

    name: str
    """What the user calls it."""

    kind: str
    """One of `KINDS`."""

    file: str
    """Its file name on disk."""

    licence: Licence
    """Its terms."""

    also: tuple[str, ...] = ()
    """Other file names under which it is found."""

    beside: tuple[str, ...] = ()
    """Names of the files that must lie in the same folder."""

    sources: tuple[str, ...] = ()
    """Addresses, in the order in which they are tried; none if it cannot be fetched."""

    bytes: int | None = None
    """Exact size."""

    about: int | None = None
    """Approximate size in bytes, shown if the exact one is not known."""

    sha256: tuple[str, ...] = ()
    """Every accepted hash; none if no hash is published."""

    template: str | None = None
    """Of a generator: where the landmarks lie in its faces."""

    # TOML has no static types: the numbers are checked when `published` builds the network's config from them.
    config: Mapping[str, Any] | None = field(default=None, hash=False)
    """Of a generator: the arguments of the published constructor, or every size and width."""

    embedded: bool = False
    """It is part of the package."""

    limits: str = ""
    """What it does and does not do, as the end of a sentence; empty for GPEN's own networks."""

    recommended: bool = False
    """It is the best of its kind: `doctor` says how to get it."""

    @property
    def files(self) -> tuple[str, ...]:
        """Every file name under which it is found."""
        return (self.file, *self.also)

    @property
    def size(self) -> int | None:
        """Bytes, exact or approximate; None if neither is known."""
        return self.bytes or self.about

    @property
    def shown_size(self) -> str:
        """The size for people: `284 MB`, `~76 MB`, `-`."""
        if self.size is None:
            return "-"
        rounded = f"{self.size / _MB:.0f} MB" if self.size >= _MB else f"{self.size / 1000:.0f} kB"
        return rounded if self.bytes else f"~{rounded}"

    @property
    def get_it(self) -> str:
        """The command that gets it."""
        if self.embedded:
            return "pip install --force-reinstall gpen-fast"
        if self.sources:
            return f"gpen-fast weights pull {self.name}"
        trust = "" if self.sha256 or self.kind == "generator" else f" --trust {self.name}"
        return f"gpen-fast weights import FILE{trust}"


def catalog() -> Mapping[str, CatalogEntry]:
    """Returns every known file by its name."""
    return read_catalog(shipped("catalog.toml"))


def entry(name: str) -> CatalogEntry:
    """Returns the entry of that name.

    Raises:
        SettingsError: The catalog has no such name. The message lists the names.
    """
    entries = catalog()
    if name not in entries:
        raise SettingsError(
            f"unknown weights {name!r}: accepted are {', '.join(entries)}.{did_you_mean(name, entries)}"
        )
    return entries[name]


def generators() -> list[str]:
    """Returns the names of the networks that `--model` accepts, best first."""
    return [name for name, known in catalog().items() if known.kind == "generator"]


@cache
def read_catalog(path: Path) -> Mapping[str, CatalogEntry]:
    """Reads a catalog from a TOML file.

    Args:
        path: The file. Its content is cached for the life of the process.

    Returns:
        The entries by name, in the file's order.

    Raises:
        StoreError: The file is missing or holds a value that is not accepted.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        licences = {key: Licence(key, **terms) for key, terms in tables["licences"].items()}
        entries = {name: _entry(name, table, licences) for name, table in tables["weights"].items()}
    except (OSError, KeyError, TypeError, ValueError) as cause:
        raise StoreError(
            f"{path}: the weights catalog cannot be read ({cause!r}). Reinstall gpen-fast."
        ) from cause
    return entries


def _entry(name: str, table: Mapping[str, Any], licences: Mapping[str, Licence]) -> CatalogEntry:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    known = CatalogEntry(name, **{**table, **lists, "licence": licences[table["licence"]]})
    if known.kind not in KINDS:
        raise ValueError(f"{name}: kind {known.kind!r}, accepted are {', '.join(KINDS)}")
    wrong = [value for value in known.sha256 if not _SHA256.fullmatch(value)]
    if wrong:
        raise ValueError(f"{name}: sha256 {wrong[0]!r}, accepted are 64 hexadecimal digits in lower case")
    return known
